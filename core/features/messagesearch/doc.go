// Package messagesearch lets an account search everything that it may see: its own archive and those of the rooms that it
// is in, with excerpts, the newest message first. The use case is archive.Searcher; this feature limits how often an account
// searches, and offers the search as an ad-hoc command for clients that have no search of their own.
//
// There is no goroutine and no lock: a search runs in the goroutine of the session that asks.
//
// Specifications: XEP-0050, XEP-0004, XEP-0082.
package messagesearch
