//! A batch of usage as JSON lines: the id of the batch, then one record a line.

use serde::{Deserialize, Serialize};

use super::{
    AudioSpeechesUsageRecord, AudioTranscriptionsUsageRecord, CodeInterpreterSessionsUsageRecord,
    CompletionsUsageRecord, CostsUsageRecord, CreateUsageBatchBody, DecisionsUsageRecord,
    EmbeddingsUsageRecord, FileSearchCallsUsageRecord, ImagesUsageRecord, ModerationsUsageRecord,
    UsageBatchId, VectorStoresUsageRecord, WebSearchCallsUsageRecord,
};

/// Declares a line for each list of a batch, by the list's name.
macro_rules! lines {
    ($($variant:ident $list:ident $record:ident $($optional:ident $flattened:ident)?;)*) => {
        /// A line of a batch in JSON lines: an object with one field.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        #[serde(rename_all = "snake_case")]
        #[non_exhaustive]
        pub enum UsageLine {
            /// The ID of the batch. It is in the first line, and in no other.
            BatchId(UsageBatchId),
            $(
                #[doc = concat!("A record of the list `", stringify!($list), "`.")]
                $variant($record),
            )*
        }

        $(
            impl From<$record> for UsageLine {
                fn from(record: $record) -> Self {
                    Self::$variant(record)
                }
            }
        )*

        impl UsageLine {
            /// The name of its field.
            pub fn name(&self) -> &'static str {
                match self {
                    Self::BatchId(_) => "batch_id",
                    $(Self::$variant(_) => stringify!($list),)*
                }
            }
        }

        impl CreateUsageBatchBody {
            /// The maximum number of records in a batch, of all lists together.
            pub const RECORDS_MAX: usize = 10_000;

            /// Its lists by name, with their numbers of records.
            pub fn lists(&self) -> impl Iterator<Item = (&'static str, usize)> {
                [$((stringify!($list), self.$list.iter() $(.$flattened())? .count()),)*].into_iter()
            }
        }

        /// Adds records to their lists. A line with an ID replaces the ID of the batch.
        impl Extend<UsageLine> for CreateUsageBatchBody {
            fn extend<T: IntoIterator<Item = UsageLine>>(&mut self, lines: T) {
                for line in lines {
                    match line {
                        UsageLine::BatchId(id) => self.batch_id = id,
                        $(UsageLine::$variant(record) => {
                            self.$list $(.$optional(Vec::new))? .push(record);
                        })*
                    }
                }
            }
        }
    };
}

lines! {
    Completions completions CompletionsUsageRecord;
    Decisions decisions DecisionsUsageRecord get_or_insert_with flatten;
    Embeddings embeddings EmbeddingsUsageRecord get_or_insert_with flatten;
    Moderations moderations ModerationsUsageRecord get_or_insert_with flatten;
    AudioSpeeches audio_speeches AudioSpeechesUsageRecord get_or_insert_with flatten;
    AudioTranscriptions audio_transcriptions AudioTranscriptionsUsageRecord get_or_insert_with flatten;
    Images images ImagesUsageRecord get_or_insert_with flatten;
    CodeInterpreterSessions code_interpreter_sessions CodeInterpreterSessionsUsageRecord get_or_insert_with flatten;
    VectorStores vector_stores VectorStoresUsageRecord get_or_insert_with flatten;
    FileSearchCalls file_search_calls FileSearchCallsUsageRecord get_or_insert_with flatten;
    WebSearchCalls web_search_calls WebSearchCallsUsageRecord get_or_insert_with flatten;
    Costs costs CostsUsageRecord get_or_insert_with flatten;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Timestamp;

    #[test]
    fn a_line_is_an_object_named_like_the_list_of_its_record() {
        let at = Timestamp::from_unix_seconds(60);
        let line = UsageLine::from(EmbeddingsUsageRecord::new(at, 7, 1));
        let json = r#"{"embeddings":{"time":60,"input_tokens":7,"num_model_requests":1}}"#;
        assert_eq!(serde_json::to_string(&line).unwrap(), json);
        assert_eq!(serde_json::from_str::<UsageLine>(json).unwrap(), line);
        assert_eq!(
            (line.name(), UsageLine::BatchId("b".try_into().unwrap()).name()),
            ("embeddings", "batch_id")
        );
    }

    #[test]
    fn a_batch_has_the_records_of_its_lines_in_their_order() {
        let at = Timestamp::from_unix_seconds(60);
        let record = |tokens| EmbeddingsUsageRecord::new(at, tokens, 1);
        let cost = CostsUsageRecord::new(at, "0.06".parse().unwrap());
        let mut batch = CreateUsageBatchBody::new("1".try_into().unwrap(), vec![]);
        batch.extend([record(1).into(), cost.clone().into(), UsageLine::from(record(2))]);
        assert_eq!(batch.embeddings, Some(vec![record(1), record(2)]));
        let filled: Vec<_> = batch.lists().filter(|(_, records)| *records > 0).collect();
        assert_eq!(filled, [("embeddings", 2), ("costs", 1)]);
        assert_eq!((batch.costs, batch.images), (Some(vec![cost]), None));
    }
}
