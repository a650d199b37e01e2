// Package channelsearch answers searches for public rooms (XEP-0433): a service of rooms passes the requests that it gets and is a
// [Source] of the rooms that everybody, or who asks, may know of.
//
// A search keeps nothing between two pages: the id of an item is its place in the order, so that a page goes on behind it
// also where the room has been destroyed meanwhile. Memory is that of one page. Searches of one address in a minute are limited, and so are
// those that run at the same time, because each of them reads all public rooms.
//
// A search runs in the caller's goroutine. Lock: limiter.mu is a leaf.
//
// Specifications: XEP-0433, XEP-0059.
package channelsearch
