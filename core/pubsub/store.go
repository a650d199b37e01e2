package pubsub

import (
	"context"
	"time"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/paging"
)

// Store keeps nodes and items.
type Store interface {
	// Nodes returns the nodes of a service.
	Nodes(ctx context.Context, service jid.JID) (*Nodes, error)
	// Items returns items of a node.
	Items(ctx context.Context, service jid.JID, q Query) (Page, error)
	// Write makes changes in one transaction, in their order, and sets their Results: all of them or none. It returns ErrGone if
	// a node or the account was deleted meanwhile.
	Write(ctx context.Context, service jid.JID, changes ...*Change) error
	// Bytes returns the size of all items of a service.
	Bytes(ctx context.Context, service jid.JID) (int64, error)
	// BytesOf returns the size of all items at nodes that an account has created.
	BytesOf(ctx context.Context, service, creator jid.JID) (int64, error)
}

// Query selects items of a node, in the order in which they were published.
type Query struct {
	Node  string
	IDs   []string       // only these, in the order of the list; then Page is not used
	Page  paging.Request // Max is set
	After time.Time      // only items that were published later; zero: all
	Bytes int            // the payloads together have at most so many bytes, but one item is always returned; or NoPayload
	// Uncounted leaves out Page.Count and Page.Index.
	Uncounted bool
}

// Page is a part of a node's items.
type Page struct {
	Items []Item
	Count int // of all items
	Index int // of the first one, or paging.Unknown
}

// Change is a change of one node.
type Change struct {
	Node          string
	Put           *Node // the node is created, or its configuration replaced
	Create        bool  // Put is a new node
	Delete, Purge bool
	Affiliations  map[jid.JID]Affiliation // None deletes
	Subscriptions []Subscription          // NotSubscribed deletes
	Item          *Item
	Keep          int       // after Item: so many items at most, of which Item is the newest
	Expired       time.Time // with Item: items that were published earlier are deleted; zero: none
	Retract       string    // id of an item that is deleted
	Result        Result
}

// Result is what a change has found.
type Result struct {
	Removed   []string // ids of items that were deleted to make room
	Retracted bool     // there was such an item
	Size      int64    // of the items, more than before; at least
}

// NoPayload as the Bytes of a Query returns all items without their payloads.
const NoPayload = -1
