//! The models of an organization, with the default limits of each.
//!
//! The limits are those of a high usage tier in public tables. Where those tables have no number, it is assumed.

/// The limits of a model, in the order of the fields. `None` where a model has no such limit.
pub(super) type Limits = [Option<i64>; 6];

/// The number that stands for no limit.
pub(super) const UNLIMITED: i64 = 2_147_483_647;

const fn text(requests: i64, tokens: i64, batch_tokens: i64) -> Limits {
    [Some(requests), Some(tokens), None, None, None, Some(batch_tokens)]
}

const fn images(requests: i64, tokens: i64, images: i64) -> Limits {
    [Some(requests), Some(tokens), Some(images), None, None, None]
}

const fn audio(requests: i64, megabytes: i64) -> Limits {
    [Some(requests), Some(UNLIMITED), None, Some(megabytes), None, None]
}

const fn requests(requests: i64, tokens: i64) -> Limits {
    [Some(requests), Some(tokens), None, None, None, None]
}

/// The models in the order of their names.
pub(super) static MODELS: [(&str, Limits); 28] = [
    ("dall-e-2", images(10_000, UNLIMITED, 10_000)),
    ("dall-e-3", images(10_000, UNLIMITED, 10_000)),
    ("ft:gpt-4.1-mini-2025-04-14", requests(3_000, 250_000)),
    ("ft:gpt-4o-2024-08-06", requests(3_000, 250_000)),
    ("gpt-3.5-turbo", text(10_000, 50_000_000, 10_000_000_000)),
    ("gpt-4", [Some(10_000), Some(1_000_000), None, None, Some(10_000), Some(150_000_000)]),
    ("gpt-4.1", text(10_000, 30_000_000, 5_000_000_000)),
    ("gpt-4.1-mini", text(30_000, 150_000_000, 15_000_000_000)),
    ("gpt-4.1-nano", text(30_000, 150_000_000, 15_000_000_000)),
    ("gpt-4o", text(10_000, 30_000_000, 5_000_000_000)),
    ("gpt-4o-2024-08-06-shared", requests(10_000, 30_000_000)),
    ("gpt-4o-mini", text(30_000, 150_000_000, 15_000_000_000)),
    ("gpt-4o-mini-transcribe", requests(10_000, 8_000_000)),
    ("gpt-4o-transcribe", requests(10_000, 6_000_000)),
    ("gpt-5", text(15_000, 40_000_000, 15_000_000_000)),
    ("gpt-5-mini", text(30_000, 180_000_000, 15_000_000_000)),
    ("gpt-5-nano", text(30_000, 180_000_000, 15_000_000_000)),
    ("gpt-5-pro", text(500, 30_000_000, 5_000_000_000)),
    ("gpt-image-1", images(10_000, 8_000_000, 250)),
    ("o3", text(10_000, 30_000_000, 5_000_000_000)),
    ("o4-mini", text(30_000, 150_000_000, 15_000_000_000)),
    ("omni-moderation-latest", requests(5_000, 500_000)),
    ("sora-2", requests(375, UNLIMITED)),
    ("text-embedding-3-large", text(10_000, 10_000_000, 4_000_000_000)),
    ("text-embedding-3-small", text(10_000, 10_000_000, 4_000_000_000)),
    ("text-embedding-ada-002", text(10_000, 10_000_000, 4_000_000_000)),
    ("tts-1", requests(10_000, UNLIMITED)),
    ("whisper-1", audio(10_000, 2_500)),
];
