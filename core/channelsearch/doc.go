// Package channelsearch answers searches for public rooms (XEP-0433). A service of rooms passes its requests to a [Search], and is the
// [Source] of the rooms that the searcher may know of.
//
// A search keeps nothing between two pages: the id of an item is its position in the order, so that the next page begins
// after it even if the room has been destroyed meanwhile. Memory is that of one page. Searches of one address in a minute are limited, and so are
// those that run at the same time, because each of them reads all public rooms.
//
// A search runs in the caller's goroutine. Lock: limiter.mu is a leaf.
//
// Specifications: XEP-0433, XEP-0059.
package channelsearch
