// Package archive answers queries of message archives (XEP-0313, urn:xmpp:mam:2 and
// #extended) of accounts and of rooms over a small Store, with preferences (XEP-0441) where
// the Store keeps them. The caller checks first who may read an archive,
// and decides which messages are stored.
//
// All ids that this server assigns are of the type ID, which sorts by time: a Store may find entries by
// the time in their ids.
//
// A Searcher searches all archives that an account may read, its own and those of rooms, with excerpts.
//
// An Engine has no state besides its Store and is safe for concurrent use. There is no goroutine; Searcher.mu is never held while
// something is read.
//
// Specifications: XEP-0313, XEP-0059, XEP-0297, XEP-0203, XEP-0424, XEP-0431, XEP-0441.
package archive
