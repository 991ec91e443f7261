//! The rules about a module's sections: what it imports, defines and exports.

use wasmparser::{
    CompositeInnerType, DataKind, ElementKind, ExternalKind, FuncType, GlobalType, MemoryType, Payload, TableType,
    TypeRef, ValType,
};

use super::{
    AdmissionError, FUNCTIONS_MAX, GLOBALS_MAX, MEMORY_PAGES_CEILING, ModuleRole, PARAMETERS_MAX, RESULTS_MAX,
    SEGMENTS_MAX, TABLE_ELEMENTS_MAX, TABLES_MAX, TYPES_MAX,
    interface::{HARMLESS_EXPORTS, Interface, KERNEL_INTERFACE, SUPERVISOR_INTERFACE, VAT_INTERFACE},
    rewrite::GLOBAL_EXPORT_PREFIX,
};

/// What the sections said, for the rewriter.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub mutable_globals: Vec<u32>,
    pub globals: u32,
    pub types: u32,
    pub function_types: Vec<u32>,
    pub memory_pages_min: u64,
    pub memory_pages_max: u64,
}

/// Reads sections as they come.
pub(super) struct Sections {
    interface: Interface,
    types: Vec<Option<FuncType>>,
    imported: Vec<u32>,
    memories: u32,
    exported: Vec<&'static str>,
    memory_exported: bool,
    found: Found,
}

type Result<T> = std::result::Result<T, AdmissionError>;

fn refuse<T>(problem: impl Into<String>) -> Result<T> {
    Err(AdmissionError::new(problem))
}

fn malformed(error: wasmparser::Error) -> AdmissionError {
    AdmissionError::new(error.message().to_owned())
}

fn at_most(what: &str, count: u64, limit: u64) -> Result<()> {
    if count > limit { refuse(format!("it has {count} {what}; the limit is {limit}")) } else { Ok(()) }
}

impl Sections {
    pub(super) fn new(role: ModuleRole) -> Self {
        let interface = match role {
            ModuleRole::Kernel => KERNEL_INTERFACE,
            ModuleRole::Supervisor => SUPERVISOR_INTERFACE,
            ModuleRole::Vat => VAT_INTERFACE,
        };
        Sections {
            interface,
            types: Vec::new(),
            imported: Vec::new(),
            memories: 0,
            exported: Vec::new(),
            memory_exported: false,
            found: Found::default(),
        }
    }

    /// Looks at one payload.
    pub(super) fn see(&mut self, payload: &Payload<'_>) -> Result<()> {
        match payload {
            Payload::TypeSection(reader) => {
                at_most("types", u64::from(reader.count()), u64::from(TYPES_MAX))?;
                for group in reader.clone() {
                    for subtype in group.map_err(malformed)?.into_types() {
                        self.see_type(&subtype.composite_type.inner)?;
                    }
                }
            }
            Payload::ImportSection(reader) => {
                at_most("imports", u64::from(reader.count()), self.interface.imports.len() as u64)?;
                for import in reader.clone().into_imports() {
                    let import = import.map_err(malformed)?;
                    self.see_import(import.module, import.name, import.ty)?;
                }
            }
            Payload::FunctionSection(reader) => {
                at_most("functions", u64::from(reader.count()), u64::from(FUNCTIONS_MAX))?;
                for index in reader.clone() {
                    self.found.function_types.push(index.map_err(malformed)?);
                }
            }
            Payload::TableSection(reader) => {
                at_most("tables", u64::from(reader.count()), u64::from(TABLES_MAX))?;
                for table in reader.clone() {
                    see_table(&table.map_err(malformed)?.ty)?;
                }
            }
            Payload::MemorySection(reader) => {
                for memory in reader.clone() {
                    self.see_memory(&memory.map_err(malformed)?)?;
                }
            }
            Payload::GlobalSection(reader) => {
                at_most("globals", u64::from(reader.count()), u64::from(GLOBALS_MAX))?;
                for global in reader.clone() {
                    self.see_global(&global.map_err(malformed)?.ty)?;
                }
            }
            Payload::ExportSection(reader) => {
                at_most("exports", u64::from(reader.count()), 64)?;
                for export in reader.clone() {
                    self.see_export(&export.map_err(malformed)?)?;
                }
            }
            Payload::StartSection { .. } => return refuse("it has a start function; code runs in deliveries only"),
            Payload::ElementSection(reader) => see_elements(reader)?,
            Payload::DataSection(reader) => {
                at_most("data segments", u64::from(reader.count()), u64::from(SEGMENTS_MAX))?;
                for data in reader.clone() {
                    if let DataKind::Active { memory_index, .. } = data.map_err(malformed)?.kind {
                        at_most("memories", u64::from(memory_index) + 1, 1)?;
                    }
                }
            }
            Payload::TagSection(_) => return refuse("it has tags; exceptions are not allowed"),
            _ => {}
        }
        Ok(())
    }

    fn see_type(&mut self, inner: &CompositeInnerType) -> Result<()> {
        let CompositeInnerType::Func(function) = inner else {
            return refuse("it declares a type that is not a function's");
        };
        at_most("parameters in a function type", function.params().len() as u64, PARAMETERS_MAX as u64)?;
        at_most("results in a function type", function.results().len() as u64, RESULTS_MAX as u64)?;
        self.types.push(Some(function.clone()));
        Ok(())
    }

    fn see_import(&mut self, module: &str, name: &str, ty: TypeRef) -> Result<()> {
        let TypeRef::Func(index) = ty else {
            return refuse(format!("it imports {module}.{name}, which is not a function"));
        };
        let allowed = self.interface.imports.iter().find(|function| function.name == name);
        let Some(allowed) = allowed.filter(|_| module == self.interface.import_module) else {
            return refuse(format!("it imports {module}.{name}, which is not on the list of imports"));
        };
        self.imported.push(index);
        if !self.type_at(index).is_some_and(|actual| allowed.has_type(actual)) {
            return refuse(format!("its import {module}.{name} must have the type {}", allowed.describe()));
        }
        Ok(())
    }

    pub(super) fn type_at(&self, index: u32) -> Option<&FuncType> {
        self.types.get(usize::try_from(index).ok()?)?.as_ref()
    }

    fn see_memory(&mut self, memory: &MemoryType) -> Result<()> {
        self.memories = self.memories.saturating_add(1);
        if self.memories > 1 {
            return refuse("it has more than one memory");
        }
        if memory.memory64 || memory.shared || memory.page_size_log2.is_some() {
            return refuse("its memory must be a plain 32-bit one");
        }
        let Some(maximum) = memory.maximum else {
            return refuse("its memory has no maximum; link with a maximum memory size");
        };
        at_most("pages as its memory's maximum", maximum, MEMORY_PAGES_CEILING)?;
        self.found.memory_pages_min = memory.initial;
        self.found.memory_pages_max = maximum;
        Ok(())
    }

    fn see_global(&mut self, global: &GlobalType) -> Result<()> {
        let index = self.found.globals;
        self.found.globals = index.saturating_add(1);
        if !global.mutable {
            return Ok(());
        }
        match global.content_type {
            ValType::I32 | ValType::I64 | ValType::F32 | ValType::F64 => {
                self.found.mutable_globals.push(index);
                Ok(())
            }
            ValType::V128 | ValType::Ref(_) => refuse(format!("global {index} is mutable and not a number")),
        }
    }

    fn see_export(&mut self, export: &wasmparser::Export<'_>) -> Result<()> {
        let name = export.name;
        if name.starts_with(GLOBAL_EXPORT_PREFIX) {
            return refuse(format!("it exports {name}; names that begin with {GLOBAL_EXPORT_PREFIX} are reserved"));
        }
        match export.kind {
            ExternalKind::Memory if name == "memory" => self.memory_exported = true,
            ExternalKind::Global if HARMLESS_EXPORTS.contains(&name) => {
                if self.found.mutable_globals.contains(&export.index) {
                    return refuse(format!("its export {name} is a mutable global"));
                }
            }
            ExternalKind::Func => {
                let Some(allowed) = self.interface.exports.iter().find(|function| function.name == name) else {
                    return refuse(format!("it exports the function {name}, which is not on the list of exports"));
                };
                if !self.function_type(export.index).is_some_and(|actual| allowed.has_type(actual)) {
                    return refuse(format!("its export {name} must have the type {}", allowed.describe()));
                }
                self.exported.push(allowed.name);
            }
            _ => return refuse(format!("it exports {name}, which is not on the list of exports")),
        }
        Ok(())
    }

    pub(super) fn function_type(&self, index: u32) -> Option<&FuncType> {
        let index = usize::try_from(index).ok()?;
        let type_index = match index.checked_sub(self.imported.len()) {
            None => *self.imported.get(index)?,
            Some(own) => *self.found.function_types.get(own)?,
        };
        self.type_at(type_index)
    }

    /// What must be there once all sections were seen.
    pub(super) fn finish(mut self) -> Result<Found> {
        if self.memories == 0 {
            return refuse("it has no memory of its own");
        }
        if !self.memory_exported {
            return refuse("it does not export its memory as `memory`");
        }
        for function in self.interface.exports {
            if !self.exported.contains(&function.name) {
                return refuse(format!("it does not export {} of type {}", function.name, function.describe()));
            }
        }
        self.found.types = u32::try_from(self.types.len()).unwrap_or(u32::MAX);
        Ok(self.found)
    }
}

fn see_table(table: &TableType) -> Result<()> {
    if table.table64 || table.shared || !table.element_type.is_func_ref() {
        return refuse("its table must be a plain one of functions");
    }
    at_most("elements in its table", table.initial, TABLE_ELEMENTS_MAX)
}

fn see_elements(reader: &wasmparser::ElementSectionReader<'_>) -> Result<()> {
    at_most("element segments", u64::from(reader.count()), u64::from(SEGMENTS_MAX))?;
    for element in reader.clone() {
        if matches!(element.map_err(malformed)?.kind, ElementKind::Passive) {
            return refuse("it has a passive element segment, which nothing may use");
        }
    }
    Ok(())
}
