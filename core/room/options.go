package room

import (
	"context"
	"log/slog"
	"time"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/room/history"
	"github.com/dragoman-im/dragoman/core/room/rules"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// Options describe a room. JID, Send, Owner and Secret are required.
type Options struct {
	JID   jid.JID
	Send  func(*stanza.Stanza) // must not block and must not call the Room
	Owner Owner
	// SendMany sends one stanza, whose To is empty, to many sessions. It must not change the stanza, may keep the stanza and the
	// list, and may set Found of the receivers. Nil means stanza.SendEach with Send.
	SendMany func(st *stanza.Stanza, to []stanza.Receiver)
	// Save makes a change of the lasting state durable before the room announces it. If it returns an error nothing changes
	// and the request is refused with that error. Nil is for a room whose state is stored elsewhere.
	Save func(ctx context.Context, c Change) error
	// Secret makes occupant ids of sessions unguessable: 32 random bytes, for this room or
	// for the service. It must be stored: occupant ids must not change with every start (XEP-0421).
	Secret []byte

	// Created marks a new room: the first session that enters gets status 201 (XEP-0045 §10.1.1).
	Created bool

	Info     rules.Info
	Config   rules.Config
	Snapshot *Snapshot // the stored state, which replaces Info and Config

	// History is read when a session enters; the caller of New also fills it. Nil means a ring in memory
	// that the room fills.
	History history.Source
	Limits  rules.Limits
	Now     func() time.Time // nil is time.Now
	Log     *slog.Logger     // nil is slog.Default()
}
