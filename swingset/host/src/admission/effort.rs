//! What makes compiling longer than code is, counted from its operators: a few kilobytes can ask a compiler for minutes, and a vat's code
//! is compiled in the block that first delivers to it.
//!
//! Where branches meet, the compiler looks at each local; where blocks nest, one change of a local is a value of its own at each of
//! their ends. Every call's parameters and results are moved.

use wasmparser::Operator;

use super::{
    AdmissionError, LOCALS_BY_BRANCHES_MAX, LOCALS_BY_BRANCHES_TOTAL, LOCALS_BY_LOOPS_MAX, LOCALS_BY_NESTING_MAX,
    LOCALS_BY_NESTING_TOTAL, TARGETS_TOTAL, VALUES_IN_CALLS_MAX, VALUES_IN_CALLS_TOTAL, sections::Sections,
};

/// Of one function.
#[derive(Debug, Default)]
pub(super) struct Effort {
    /// The open blocks, and whether each is a loop.
    open: Vec<bool>,
    loops_open: u64,
    nesting: u64,
    loop_nesting: u64,
    /// Blocks, branches and targets of tables.
    branches: u64,
    targets: u64,
    values_in_calls: u64,
}

impl Effort {
    /// Counts an operator.
    pub(super) fn see(&mut self, operator: &Operator<'_>, sections: &Sections) {
        match operator {
            Operator::Block { .. } | Operator::If { .. } => self.open(false),
            Operator::Loop { .. } => self.open(true),
            Operator::End => {
                let was_loop = self.open.pop() == Some(true);
                self.loops_open = self.loops_open.saturating_sub(u64::from(was_loop));
            }
            Operator::Br { .. } | Operator::BrIf { .. } => self.branches = self.branches.saturating_add(1),
            Operator::BrTable { targets } => {
                let targets = u64::from(targets.len()).saturating_add(1);
                self.targets = self.targets.saturating_add(targets);
                self.branches = self.branches.saturating_add(targets);
            }
            Operator::Call { function_index } => self.call(sections.function_type(*function_index)),
            Operator::CallIndirect { type_index, .. } => self.call(sections.type_at(*type_index)),
            _ => {}
        }
    }

    fn open(&mut self, is_loop: bool) {
        self.open.push(is_loop);
        self.loops_open = self.loops_open.saturating_add(u64::from(is_loop));
        self.branches = self.branches.saturating_add(1);
        self.nesting = self.nesting.max(self.open.len() as u64);
        self.loop_nesting = self.loop_nesting.max(self.loops_open);
    }

    fn call(&mut self, signature: Option<&wasmparser::FuncType>) {
        let values =
            signature.map_or(0, |signature| signature.params().len().saturating_add(signature.results().len()));
        self.values_in_calls = self.values_in_calls.saturating_add(values as u64);
    }
}

/// Of a module's functions together.
#[derive(Debug, Default)]
pub(super) struct Efforts {
    locals_by_nesting: u64,
    locals_by_branches: u64,
    targets: u64,
    values_in_calls: u64,
}

impl Efforts {
    /// Adds a function with so many parameters and locals.
    pub(super) fn add(&mut self, function: u32, effort: &Effort, locals: u32) -> Result<(), AdmissionError> {
        let locals = u64::from(locals);
        let by_loops = locals.saturating_mul(effort.loop_nesting);
        let by_nesting = locals.saturating_mul(effort.nesting);
        let by_branches = locals.saturating_mul(effort.branches);
        let calls = effort.values_in_calls;
        self.locals_by_nesting = self.locals_by_nesting.saturating_add(by_nesting);
        self.locals_by_branches = self.locals_by_branches.saturating_add(by_branches);
        self.targets = self.targets.saturating_add(effort.targets);
        self.values_in_calls = self.values_in_calls.saturating_add(calls);
        for (what, count, limit) in [
            ("locals by its nesting of loops", by_loops, LOCALS_BY_LOOPS_MAX),
            ("locals by its nesting of blocks", by_nesting, LOCALS_BY_NESTING_MAX),
            ("locals by its blocks, branches and targets", by_branches, LOCALS_BY_BRANCHES_MAX),
            ("parameters and results in its calls", calls, VALUES_IN_CALLS_MAX),
        ] {
            if count > limit {
                return Err(AdmissionError::new(format!(
                    "function {function} has {count} {what}; the limit is {limit}"
                )));
            }
        }
        for (what, count, limit) in [
            ("locals by nesting of blocks", self.locals_by_nesting, LOCALS_BY_NESTING_TOTAL),
            ("locals by blocks, branches and targets", self.locals_by_branches, LOCALS_BY_BRANCHES_TOTAL),
            ("targets of tables", self.targets, TARGETS_TOTAL),
            ("parameters and results in calls", self.values_in_calls, VALUES_IN_CALLS_TOTAL),
        ] {
            if count > limit {
                return Err(AdmissionError::new(format!("its functions have {count} {what}; the limit is {limit}")));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use wasmparser::{Parser, Payload};

    use super::*;
    use crate::{
        admission::{ModuleRole, judge},
        bundle::Bundle,
    };

    /// The module's efforts, were each of its functions four times as much.
    fn fourfold(wasm: &[u8], role: ModuleRole) -> Result<(), AdmissionError> {
        let (mut sections, mut efforts) = (Sections::new(role), Efforts::default());
        let admitted = judge(wasm, role, true)?;
        let mut frames = admitted.frames.iter();
        for payload in Parser::new(0).parse_all(wasm) {
            let payload = payload.unwrap();
            sections.see(&payload)?;
            let Payload::CodeSectionEntry(body) = payload else { continue };
            let mut effort = Effort::default();
            for operator in body.get_operators_reader().unwrap() {
                effort.see(&operator.unwrap(), &sections);
            }
            let Effort { nesting, loop_nesting, branches, targets, values_in_calls, .. } = effort;
            let [nesting, loop_nesting, branches, targets, values_in_calls] =
                [nesting, loop_nesting, branches, targets, values_in_calls].map(|count| 4 * count);
            let fourfold = Effort { nesting, loop_nesting, branches, targets, values_in_calls, ..Effort::default() };
            efforts.add(0, &fourfold, frames.next().unwrap().locals)?;
        }
        Ok(())
    }

    #[test]
    fn the_guests_that_there_are_take_a_quarter_of_each_limit_at_most() {
        let bundles = std::path::PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../bundles");
        let folders = ["version-1", "version-2", "vats", "test"].map(|folder| bundles.join(folder));
        let mut modules = 0;
        for entry in folders.iter().flat_map(|folder| std::fs::read_dir(folder).unwrap()) {
            let path = entry.unwrap().path();
            let bundle = Bundle::decode(&std::fs::read(&path).unwrap()).unwrap();
            let Some(role) = ModuleRole::of(bundle.manifest.kind) else { continue };
            fourfold(bundle.content(), role).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            modules += 1;
        }
        assert!(modules >= 20, "{modules}");
    }
}
