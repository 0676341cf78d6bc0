//! One file for each family of layers: how Keras' configuration becomes operations, and these operations.

mod activation;
mod additive;
mod attention;
mod batch_norm;
mod conv;
mod conv_lstm;
mod conv_transpose;
mod dense;
mod depthwise;
mod discretization;
mod dropout;
mod einsum;
mod embedding;
mod gather;
mod geometry;
mod length;
mod logic;
mod merge;
mod normalization;
mod operations;
mod penalty;
mod pooling;
mod preprocessing;
mod reduce;
mod reshape;
mod resize;
mod rnn;
mod wrappers;

use crate::Unsupported;
use crate::graph::{Call, Sym};

pub(crate) use gather::{channels_back, channels_last};
pub(crate) use penalty::penalize;

/// How a layer becomes operations.
pub(crate) type Build = fn(&mut Call<'_>) -> Result<Vec<Sym>, Unsupported>;

/// A layer class of Keras.
pub(crate) struct Entry {
    /// Name of the class.
    pub class: &'static str,
    /// Adds its operations.
    pub build: Build,
    /// Whether it passes on the mask of its first input.
    pub masking: bool,
    /// Whether it is an operation on tensors (`keras.ops`), not a layer.
    pub operation: bool,
}

impl Entry {
    /// A layer that passes masks on.
    pub const fn new(class: &'static str, build: Build) -> Self {
        Entry {
            class,
            build,
            masking: true,
            operation: false,
        }
    }

    /// A layer that does not pass on the mask of its input.
    pub const fn unmasked(class: &'static str, build: Build) -> Self {
        Entry {
            masking: false,
            ..Entry::new(class, build)
        }
    }
}

/// All of them.
const LAYERS: &[&[Entry]] = &[
    activation::LAYERS,
    attention::LAYERS,
    batch_norm::LAYERS,
    conv::LAYERS,
    conv_lstm::LAYERS,
    conv_transpose::LAYERS,
    dense::LAYERS,
    depthwise::LAYERS,
    discretization::LAYERS,
    dropout::LAYERS,
    einsum::LAYERS,
    embedding::LAYERS,
    gather::LAYERS,
    length::LAYERS,
    merge::LAYERS,
    normalization::LAYERS,
    pooling::LAYERS,
    preprocessing::LAYERS,
    reshape::LAYERS,
    resize::LAYERS,
    rnn::LAYERS,
    wrappers::LAYERS,
];

const OPERATIONS: &[&[Entry]] = &[
    logic::OPERATIONS,
    merge::OPERATIONS,
    operations::OPERATIONS,
    reduce::OPERATIONS,
];

fn lookup(list: &'static [&'static [Entry]], class: &str) -> Option<&'static Entry> {
    list.iter().copied().flatten().find(|entry| entry.class == class)
}

/// The layer of that class.
pub(crate) fn find(class: &str) -> Option<&'static Entry> {
    lookup(LAYERS, class)
}

/// The operation of that class.
pub(crate) fn operation(class: &str) -> Option<&'static Entry> {
    lookup(OPERATIONS, class)
}

/// Names of all layers that are covered.
pub fn names() -> impl Iterator<Item = &'static str> {
    LAYERS.iter().copied().flatten().map(|entry| entry.class)
}

/// Names of the functions of `keras.ops` that are covered.
pub fn operations() -> impl Iterator<Item = &'static str> {
    OPERATIONS.iter().copied().flatten().map(|entry| entry.class)
}
