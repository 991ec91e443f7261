//! The column families and how each is tuned.

use rocksdb::{BlockBasedOptions, Cache, ColumnFamilyDescriptor, DBCompressionType, DataBlockIndexType, Options};

use crate::StoreOptions;

/// A column family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Column {
    /// Key → version that wrote it, then the value: the committed state, one point read a key.
    Latest,
    /// (key, version that replaced it) → the record that `Latest` had until then.
    History,
    /// [`crate::tree::NodeKey`] → internal node.
    Nodes,
    /// Version → root record.
    Roots,
    /// (version, chunk) → what this version made stale, for pruning.
    Stale,
    /// Key hash → key, for proofs of absence.
    Keys,
    /// Version → transcript of the block's deliveries. Databases of before this column was there have none until they are opened to write.
    Transcripts,
    /// Format, committed version, pruning's place; under `m/` the node's own metadata.
    Meta,
}

impl Column {
    /// All of them. `Meta` is last, so a database in which it exists has been created whole.
    pub const ALL: [Column; 8] = [
        Column::Latest,
        Column::History,
        Column::Nodes,
        Column::Roots,
        Column::Stale,
        Column::Keys,
        Column::Transcripts,
        Column::Meta,
    ];

    /// The name in RocksDB.
    pub fn name(self) -> &'static str {
        match self {
            Column::Latest => "latest",
            Column::History => "history",
            Column::Nodes => "nodes",
            Column::Roots => "roots",
            Column::Stale => "stale",
            Column::Keys => "keys",
            Column::Transcripts => "transcripts",
            Column::Meta => "meta",
        }
    }

    /// The family with its options.
    pub fn descriptor(self, options: &StoreOptions, cache: &Cache) -> ColumnFamilyDescriptor {
        let mut table = BlockBasedOptions::default();
        table.set_block_cache(cache);
        table.set_cache_index_and_filter_blocks(true);
        table.set_cache_index_and_filter_blocks_with_high_priority(true);
        table.set_pin_l0_filter_and_index_blocks_in_cache(true);
        table.set_format_version(6);
        let mut family = Options::default();
        family.set_compression_type(DBCompressionType::None);
        family.set_level_compaction_dynamic_level_bytes(true);
        family.set_write_buffer_size(options.write_buffer_bytes / 4);
        match self {
            Column::Latest | Column::Nodes | Column::Keys => {
                // Read key by key: filters keep a look-up of an absent key out of the tables, the hash index spares the
                // search in a block, and the memtable's own filter the walk of its skip list.
                table.set_block_size(8 << 10);
                table.set_bloom_filter(10.0, false);
                table.set_data_block_index_type(DataBlockIndexType::BinaryAndHash);
                family.set_memtable_whole_key_filtering(true);
                family.set_memtable_prefix_bloom_ratio(0.05);
            }
            Column::History | Column::Roots | Column::Stale | Column::Transcripts | Column::Meta => {
                table.set_block_size(16 << 10);
            }
        }
        family.set_block_based_table_factory(&table);
        ColumnFamilyDescriptor::new(self.name(), family)
    }
}
