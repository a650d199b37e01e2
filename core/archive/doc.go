// Package archive answers queries of message archives (XEP-0313, urn:xmpp:mam:2 and
// #extended) of accounts and of rooms over a small Store, with preferences (XEP-0441) where
// the Store keeps them. Whether somebody may read an archive at all is for the caller to
// check first; so is what goes into it.
//
// An ID sorts by time; the ids that this server gives are all of that kind, and a Store may find entries
// by the time in them.
//
// An Engine has no state of its own beyond its Store and may be used by any number of
// goroutines. No goroutine is started here.
//
// Specifications: XEP-0313, XEP-0059, XEP-0297, XEP-0203, XEP-0441.
package archive
