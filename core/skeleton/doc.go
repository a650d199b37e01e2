// Package skeleton finds names that look like each other (UTS #39 §4): two names with the same skeleton cannot be
// told apart on a screen.
//
// The table has the letters of other scripts in which a name can be written so that it looks like a Latin one, and what
// people type for each other, such as 0 and O. Letters of different case, and those with accents, are told apart.
//
// Nothing here starts a goroutine or takes a lock.
// Specifications: UTS #39 (confusable detection), UAX #15 (compatibility decomposition).
package skeleton
