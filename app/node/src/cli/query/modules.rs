//! The modules' queries: each is a gRPC path and a request.

use clap::Subcommand;
use serde_json::{Value, json};

use super::Ask;
use crate::cli::Failure;

/// Queries of `auth`.
#[derive(Debug, Subcommand)]
pub enum AuthQuery {
    /// An account
    Account {
        /// Its address
        address: String,
    },
    /// All accounts
    Accounts,
    /// The module's accounts
    ModuleAccounts,
    /// Parameters
    Params,
}

impl AuthQuery {
    pub(super) fn ask(&self, page: &Value) -> Ask {
        match self {
            AuthQuery::Account { address } => {
                Ask::new("/cosmos.auth.v1beta1.Query/Account", json!({"address": address}))
            }
            AuthQuery::Accounts => Ask::new("/cosmos.auth.v1beta1.Query/Accounts", json!({"pagination": page})),
            AuthQuery::ModuleAccounts => Ask::new("/cosmos.auth.v1beta1.Query/ModuleAccounts", json!({})),
            AuthQuery::Params => Ask::new("/cosmos.auth.v1beta1.Query/Params", json!({})),
        }
    }
}

/// Queries of `bank`.
#[derive(Debug, Subcommand)]
pub enum BankQuery {
    /// All balances of an account
    Balances {
        /// Its address
        address: String,
    },
    /// One balance of an account
    Balance {
        /// Its address
        address: String,
        /// The denomination
        denom: String,
    },
    /// The supply of all coins
    #[command(visible_alias = "total-supply")]
    Total,
    /// The supply of one coin
    #[command(visible_alias = "total-supply-of")]
    SupplyOf {
        /// The denomination
        denom: String,
    },
    /// Parameters
    Params,
}

impl BankQuery {
    pub(super) fn ask(&self, page: &Value) -> Ask {
        match self {
            BankQuery::Balances { address } => {
                Ask::new("/cosmos.bank.v1beta1.Query/AllBalances", json!({"address": address, "pagination": page}))
            }
            BankQuery::Balance { address, denom } => {
                Ask::new("/cosmos.bank.v1beta1.Query/Balance", json!({"address": address, "denom": denom}))
            }
            BankQuery::Total => Ask::new("/cosmos.bank.v1beta1.Query/TotalSupply", json!({"pagination": page})),
            BankQuery::SupplyOf { denom } => Ask::new("/cosmos.bank.v1beta1.Query/SupplyOf", json!({"denom": denom})),
            BankQuery::Params => Ask::new("/cosmos.bank.v1beta1.Query/Params", json!({})),
        }
    }
}

/// Queries of `staking`.
#[derive(Debug, Subcommand)]
pub enum StakingQuery {
    /// All validators
    Validators,
    /// A validator
    Validator {
        /// Address of its operator
        validator_address: String,
    },
    /// What an account has bonded
    Delegations {
        /// Its address
        delegator_address: String,
    },
    /// What is bonded to a validator
    DelegationsTo {
        /// Address of its operator
        validator_address: String,
    },
    /// Bonded and other coins
    Pool,
    /// Parameters
    Params,
}

impl StakingQuery {
    pub(super) fn ask(&self, page: &Value) -> Ask {
        match self {
            StakingQuery::Validators => {
                Ask::new("/cosmos.staking.v1beta1.Query/Validators", json!({"pagination": page}))
            }
            StakingQuery::Validator { validator_address } => {
                Ask::new("/cosmos.staking.v1beta1.Query/Validator", json!({"validator_addr": validator_address}))
            }
            StakingQuery::Delegations { delegator_address } => Ask::new(
                "/cosmos.staking.v1beta1.Query/DelegatorDelegations",
                json!({"delegator_addr": delegator_address, "pagination": page}),
            ),
            StakingQuery::DelegationsTo { validator_address } => Ask::new(
                "/cosmos.staking.v1beta1.Query/ValidatorDelegations",
                json!({"validator_addr": validator_address, "pagination": page}),
            ),
            StakingQuery::Pool => Ask::new("/cosmos.staking.v1beta1.Query/Pool", json!({})),
            StakingQuery::Params => Ask::new("/cosmos.staking.v1beta1.Query/Params", json!({})),
        }
    }
}

/// Queries of `gov`.
#[derive(Debug, Subcommand)]
pub enum GovQuery {
    /// A proposal
    Proposal {
        /// Its number
        proposal_id: u64,
    },
    /// All proposals
    Proposals {
        /// Those with this status only: deposit-period, voting-period, passed, rejected or failed
        #[arg(long, visible_alias = "proposal-status")]
        status: Option<String>,
    },
    /// A vote
    Vote {
        /// The proposal
        proposal_id: u64,
        /// Who voted
        voter: String,
    },
    /// All votes on a proposal
    Votes {
        /// The proposal
        proposal_id: u64,
    },
    /// A deposit
    Deposit {
        /// The proposal
        proposal_id: u64,
        /// Who deposited
        depositor: String,
    },
    /// All deposits of a proposal
    Deposits {
        /// The proposal
        proposal_id: u64,
    },
    /// The count of votes
    Tally {
        /// The proposal
        proposal_id: u64,
    },
    /// Parameters
    Params,
}

impl GovQuery {
    pub(super) fn ask(&self, page: &Value) -> Result<Ask, Failure> {
        let of = |path, proposal_id: &u64| Ask::new(path, json!({"proposal_id": proposal_id.to_string()}));
        Ok(match self {
            GovQuery::Proposal { proposal_id } => of("/cosmos.gov.v1.Query/Proposal", proposal_id),
            GovQuery::Proposals { status } => {
                let status = status.as_deref().map(status_name).transpose()?;
                Ask::new("/cosmos.gov.v1.Query/Proposals", json!({"proposal_status": status, "pagination": page}))
            }
            GovQuery::Vote { proposal_id, voter } => {
                Ask::new("/cosmos.gov.v1.Query/Vote", json!({"proposal_id": proposal_id.to_string(), "voter": voter}))
            }
            GovQuery::Votes { proposal_id } => Ask::new(
                "/cosmos.gov.v1.Query/Votes",
                json!({"proposal_id": proposal_id.to_string(), "pagination": page}),
            ),
            GovQuery::Deposit { proposal_id, depositor } => Ask::new(
                "/cosmos.gov.v1.Query/Deposit",
                json!({"proposal_id": proposal_id.to_string(), "depositor": depositor}),
            ),
            GovQuery::Deposits { proposal_id } => Ask::new(
                "/cosmos.gov.v1.Query/Deposits",
                json!({"proposal_id": proposal_id.to_string(), "pagination": page}),
            ),
            GovQuery::Tally { proposal_id } => of("/cosmos.gov.v1.Query/TallyResult", proposal_id),
            GovQuery::Params => Ask::new("/cosmos.gov.v1.Query/Params", json!({"params_type": "voting"})),
        })
    }
}

fn status_name(text: &str) -> Result<&'static str, Failure> {
    match text.to_ascii_lowercase().replace('-', "_").trim_start_matches("proposal_status_") {
        "deposit_period" => Ok("PROPOSAL_STATUS_DEPOSIT_PERIOD"),
        "voting_period" => Ok("PROPOSAL_STATUS_VOTING_PERIOD"),
        "passed" => Ok("PROPOSAL_STATUS_PASSED"),
        "rejected" => Ok("PROPOSAL_STATUS_REJECTED"),
        "failed" => Ok("PROPOSAL_STATUS_FAILED"),
        _ => Err(Failure::Usage(format!(
            "unknown status {text:?}: expected deposit-period, voting-period, passed, rejected or failed"
        ))),
    }
}

/// Queries of `upgrade`.
#[derive(Debug, Subcommand)]
pub enum UpgradeQuery {
    /// The nearest pending plan
    Plan,
    /// All pending plans with their numbers, the nearest first
    Plans,
    /// A plan by its number, and what became of it
    Record {
        /// Its number
        id: u64,
    },
    /// All plans that ever were, and what became of each
    History,
    /// What validators have attested for a plan, by power: tally, missing, conflict
    Readiness {
        /// Its number; 0 is the nearest plan
        #[arg(default_value_t = 0)]
        plan_id: u64,
    },
    /// The migration that is under way
    Migration,
    /// Parameters
    Params,
    /// The height at which a plan was applied; 0 when it was not
    Applied {
        /// Its name
        name: String,
    },
    /// Versions of the modules' layouts
    #[command(visible_alias = "module_versions")]
    ModuleVersions {
        /// One module only
        #[arg(default_value = "")]
        module_name: String,
    },
    /// Who may upgrade
    Authority,
}

impl UpgradeQuery {
    pub(super) fn ask(&self, page: &Value) -> Ask {
        match self {
            UpgradeQuery::Plans => Ask::new("/swing.upgrade.v1.Query/Plans", json!({})),
            UpgradeQuery::Record { id } => {
                Ask { inner: Some("plan"), ..Ask::new("/swing.upgrade.v1.Query/Plan", json!({"id": id.to_string()})) }
            }
            UpgradeQuery::History => Ask::new("/swing.upgrade.v1.Query/History", json!({"pagination": page})),
            UpgradeQuery::Readiness { plan_id } => {
                Ask::new("/swing.upgrade.v1.Query/Readiness", json!({"plan_id": plan_id.to_string()}))
            }
            UpgradeQuery::Migration => Ask::new("/swing.upgrade.v1.Query/Migration", json!({})),
            UpgradeQuery::Params => Ask::new("/swing.upgrade.v1.Query/Params", json!({})),
            UpgradeQuery::Plan => Ask::new("/cosmos.upgrade.v1beta1.Query/CurrentPlan", json!({})),
            UpgradeQuery::Applied { name } => {
                Ask::new("/cosmos.upgrade.v1beta1.Query/AppliedPlan", json!({"name": name}))
            }
            UpgradeQuery::ModuleVersions { module_name } => {
                Ask::new("/cosmos.upgrade.v1beta1.Query/ModuleVersions", json!({"module_name": module_name}))
            }
            UpgradeQuery::Authority => Ask::new("/cosmos.upgrade.v1beta1.Query/Authority", json!({})),
        }
    }
}

/// Queries of `consensus`.
#[derive(Debug, Subcommand)]
pub enum ConsensusQuery {
    /// Parameters
    Params,
}

impl ConsensusQuery {
    pub(super) fn ask(&self) -> Ask {
        match self {
            ConsensusQuery::Params => Ask::new("/cosmos.consensus.v1.Query/Params", json!({})),
        }
    }
}

/// Every question once, for the test that holds them against the descriptors.
#[cfg(test)]
pub(super) fn one_of_each() -> Vec<Ask> {
    let x = || "x".to_owned();
    let page = json!({"key": null, "offset": "0", "limit": "5", "count_total": true, "reverse": false});
    let auth = [AuthQuery::Account { address: x() }, AuthQuery::Accounts, AuthQuery::ModuleAccounts, AuthQuery::Params];
    let bank = [
        BankQuery::Balances { address: x() },
        BankQuery::Balance { address: x(), denom: x() },
        BankQuery::Total,
        BankQuery::SupplyOf { denom: x() },
        BankQuery::Params,
    ];
    let staking = [
        StakingQuery::Validators,
        StakingQuery::Validator { validator_address: x() },
        StakingQuery::Delegations { delegator_address: x() },
        StakingQuery::DelegationsTo { validator_address: x() },
        StakingQuery::Pool,
        StakingQuery::Params,
    ];
    let gov = [
        GovQuery::Proposal { proposal_id: 1 },
        GovQuery::Proposals { status: Some("passed".to_owned()) },
        GovQuery::Proposals { status: None },
        GovQuery::Vote { proposal_id: 1, voter: x() },
        GovQuery::Votes { proposal_id: 1 },
        GovQuery::Deposit { proposal_id: 1, depositor: x() },
        GovQuery::Deposits { proposal_id: 1 },
        GovQuery::Tally { proposal_id: 1 },
        GovQuery::Params,
    ];
    let upgrade = [
        UpgradeQuery::Plan,
        UpgradeQuery::Applied { name: x() },
        UpgradeQuery::ModuleVersions { module_name: x() },
        UpgradeQuery::Authority,
        UpgradeQuery::Plans,
        UpgradeQuery::Record { id: 1 },
        UpgradeQuery::History,
        UpgradeQuery::Readiness { plan_id: 1 },
        UpgradeQuery::Migration,
        UpgradeQuery::Params,
    ];
    let mut all = vec![ConsensusQuery::Params.ask()];
    all.extend(auth.iter().map(|query| query.ask(&page)));
    all.extend(bank.iter().map(|query| query.ask(&page)));
    all.extend(staking.iter().map(|query| query.ask(&page)));
    all.extend(gov.iter().map(|query| query.ask(&page).expect("a known status")));
    all.extend(upgrade.iter().map(|query| query.ask(&page)));
    all.extend(super::swingset::one_of_each(&page));
    all
}
