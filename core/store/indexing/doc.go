// Package indexing indexes archived messages for the full-text search (XEP-0431), in the background: it decides when which archive
// gets a segment of its word index (package wordindex). An archive is indexed when a thousand messages have come, and while the server is
// busy later than that. It has no goroutine: the server calls Run.
package indexing
