// Package search finds words in the texts of messages: it splits a text into words without regard to case, accents and
// width, reads what somebody searches for, and compares both. What messages contain which word is
// known to package store/wordindex; this package has no state, no goroutine and no lock.
//
// A query is words, all of which must be in the text, in any order; words in double quotes must follow each other. Scripts that are
// written without spaces have one word for each character, and a run of such characters in a query is a phrase.
package search
