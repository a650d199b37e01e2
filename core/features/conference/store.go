package conference

import (
	"context"
	"time"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/paging"
	"github.com/dragoman-im/dragoman/core/room/rules"
)

// Row is a room in a list.
type Row struct {
	JID     jid.JID
	Name    string
	Creator jid.JID // zero if the account was deleted
	Created time.Time
	Listed  bool // shown to everybody
	Kept    bool // also when everybody has left
}

// Lists finds the stored rooms of several domains.
type Lists interface {
	// Rooms returns a page of the rooms of a domain in the order of their addresses: the listed ones, or all. Max is a limit;
	// After and Before are addresses, also of rooms that do not exist; Index is not used.
	Rooms(ctx context.Context, domain jid.JID, all bool, p paging.Request) ([]Row, paging.Answer, error)
	// Created counts the rooms that an address has created.
	Created(ctx context.Context, by jid.JID) (int, error)
	// Affiliated lists the rooms of a domain in which an address has an affiliation or a hat, waits for a registration, or has a role that a moderator has decided about.
	Affiliated(ctx context.Context, domain, who jid.JID) ([]jid.JID, error)
	// MemberOf lists those in which it is at least a member.
	MemberOf(ctx context.Context, domain, who jid.JID) ([]jid.JID, error)
	// DeleteTemporary deletes the rooms of a domain that are not kept.
	DeleteTemporary(ctx context.Context, domain jid.JID) error
}

// Described is a room as everybody may know it.
type Described struct {
	JID    jid.JID
	Info   rules.Info
	Config rules.Config
}

// Directory finds the rooms of a domain that are shown to everybody.
type Directory interface {
	// Described returns the rooms after an address, in the order of their addresses.
	Described(ctx context.Context, domain jid.JID, after string, limit int) ([]Described, error)
}
