// Package wordindex keeps, for each of many owners (the archive of an account, a room), which words occur at which positions, in
// three SQL tables that belong to whoever uses it. It is the index of the full-text search (XEP-0431) on both databases:
// SQLite is built without FTS5 unless a build tag is given, and PostgreSQL's GIN indexes cannot give the newest of many hits without
// reading all of them.
//
// An index is segments, each of a range of positions. A segment is written once, from some thousand messages, as rows of about two
// kilobytes (chunks) that list terms with the positions at which they occur, in the order of the terms. Eight segments of about the
// same size are merged into one, so that a message is written three times at most and an owner has few dozens of
// segments. A search reads the lists of its terms in one segment after the other, and ends when it has enough.
//
// What is in the index is exactly what the owner's row says (indexed): rows and segments are written in one transaction with it.
// Later positions are read from the messages themselves. A term is 32 bits of a hash: who searches compares the messages that it
// finds with what was searched for. Deleted messages may stay in an index for some time; Remove takes a retracted one out of it.
//
// An Index has no state and no goroutine. SQL is for both dialects, as the doc of package store says.
package wordindex
