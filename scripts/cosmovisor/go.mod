// The unmodified cosmovisor that the end-to-end tests drive an upgrade with. Built by ensure_cosmovisor in scripts/lib.sh.
module swingd/cosmovisor

go 1.22

require cosmossdk.io/tools/cosmovisor v1.5.0
