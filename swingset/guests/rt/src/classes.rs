//! The allocator: power-of-two size classes with a free list each, over memory that only grows.
//!
//! # Invariants
//! - A block of class `c` is `1 << c` bytes and aligned to `min(1 << c, 16)` at least; a freed block goes to its class's list
//!   and to no other.
#![cfg_attr(
    not(target_arch = "wasm32"),
    allow(dead_code, reason = "native builds use the system's allocator")
)]

use core::{
    alloc::{GlobalAlloc, Layout},
    cell::UnsafeCell,
};

/// The smallest class: 16 bytes, which holds a free list's link and keeps every block 16-aligned.
const CLASS_MIN: usize = 4;
/// One more than the largest class: 2 GiB.
const CLASSES: usize = 32;
const PAGE: usize = 64 * 1024;

struct State {
    /// First free block of each class; 0 for none. A free block's first word is the next one.
    free: [usize; CLASSES],
    /// Start of memory never handed out.
    next: usize,
    /// End of the memory that the guest has.
    end: usize,
}

/// See the module.
pub struct SizeClasses(UnsafeCell<State>);

// SAFETY: a guest has one thread.
unsafe impl Sync for SizeClasses {}

fn class_of(layout: Layout) -> usize {
    let size = layout.size().max(layout.align()).max(1 << CLASS_MIN);
    (usize::BITS - (size - 1).leading_zeros()) as usize
}

impl SizeClasses {
    /// An allocator that owns no memory yet.
    pub const fn new() -> Self {
        SizeClasses(UnsafeCell::new(State {
            free: [0; CLASSES],
            next: 0,
            end: 0,
        }))
    }
}

#[cfg(target_arch = "wasm32")]
fn grow(pages: usize) -> Option<usize> {
    match core::arch::wasm32::memory_grow(0, pages) {
        usize::MAX => None,
        before => Some(before * PAGE),
    }
}

#[cfg(not(target_arch = "wasm32"))]
fn grow(_pages: usize) -> Option<usize> {
    None
}

impl State {
    /// Room for `1 << class` bytes from memory never handed out; grows memory when there is too little.
    fn carve(&mut self, class: usize) -> *mut u8 {
        let size = 1usize << class;
        // Blocks of a page and more start at a multiple of 16 only: no caller here asks for a larger alignment than 16.
        if self.end - self.next < size {
            let missing = size - (self.end - self.next);
            let Some(start) = grow(missing.div_ceil(PAGE)) else {
                return core::ptr::null_mut();
            };
            if self.end == 0 {
                self.next = start;
                self.end = start;
            }
            self.end += missing.div_ceil(PAGE) * PAGE;
            if self.end - self.next < size {
                return core::ptr::null_mut();
            }
        }
        let block = self.next;
        self.next += size;
        block as *mut u8
    }
}

// SAFETY: blocks handed out are disjoint (carved once, then on one list at most) and as large and aligned as asked for.
unsafe impl GlobalAlloc for SizeClasses {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: one thread, and no reference to the state outlives a call.
        let state = unsafe { &mut *self.0.get() };
        let class = class_of(layout);
        if class >= CLASSES || layout.align() > 16 {
            return core::ptr::null_mut();
        }
        let block = state.free[class];
        if block == 0 {
            return state.carve(class);
        }
        // SAFETY: a listed block is free and at least a word long.
        state.free[class] = unsafe { *(block as *const usize) };
        block as *mut u8
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: as above.
        let state = unsafe { &mut *self.0.get() };
        let class = class_of(layout);
        // SAFETY: the block is the caller's to give back and at least a word long.
        unsafe { *(block as *mut usize) = state.free[class] };
        state.free[class] = block as usize;
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        let Ok(wanted) = Layout::from_size_align(new_size, layout.align()) else {
            return core::ptr::null_mut();
        };
        if class_of(wanted) == class_of(layout) {
            return block;
        }
        // SAFETY: the new block is disjoint from the old one, and both are at least as long as what is copied.
        unsafe {
            let new = self.alloc(wanted);
            if !new.is_null() {
                core::ptr::copy_nonoverlapping(block, new, layout.size().min(new_size));
                self.dealloc(block, layout);
            }
            new
        }
    }
}
