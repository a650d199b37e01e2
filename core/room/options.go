package room

import (
	"context"
	"log/slog"
	"time"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// Options describe a room. JID, Send, Owner and Secret are required.
type Options struct {
	JID   jid.JID
	Send  func(*stanza.Stanza) // must not block and must not call the Room
	Owner Owner
	// SendMany sends one stanza, whose To is empty, to many sessions. It must not retain the stanza or
	// the list. Nil means SendEach with Send.
	SendMany func(st *stanza.Stanza, to []jid.JID)
	// Save makes a change of the lasting state durable before the room announces it. If it returns an error nothing changes
	// and the request is refused with that error. Nil is for a room whose state is stored elsewhere.
	Save func(ctx context.Context, c Change) error
	// Secret makes occupant ids of sessions unguessable: 32 random bytes, for this room or
	// for the service. It must be stored: occupant ids must not change with every start (XEP-0421).
	Secret []byte

	// Created marks a new room: the first session that enters gets status 201 (XEP-0045 §10.1.1).
	Created bool

	Info     Info
	Config   Config
	Snapshot *Snapshot // the stored state, which replaces Info and Config

	// History is read when a session enters; the caller of New also fills it. Nil means a ring in memory
	// that the room fills.
	History History
	Limits  Limits
	Now     func() time.Time // nil is time.Now
	Log     *slog.Logger     // nil is slog.Default()
}

// maxOccupantID is the longest occupant id in bytes (XEP-0421 §4.1).
const maxOccupantID = 128

// Limits bound the memory of a room. Zero fields are set to the defaults.
type Limits struct {
	Sessions       int // XMPP sessions in the room
	PerOccupant    int // sessions that share one nick
	Puppets        int // occupants without a session
	Affiliations   int // entries of the lists
	Nick           int // bytes of a nick
	Presence       int // bytes kept of a presence
	Subject        int // bytes of the subject
	History        int // messages that history may ever show
	HistoryBytes   int // bytes of the ring in memory
	PendingQueries int // IQs relayed and not yet answered
	Changes        int // of the presence of one occupant in ten seconds, with entering and changes of nick
	Reserve        int // admins and owners that may enter beyond MaxUsers (XEP-0045 §7.2.9)
}

// The defaults of Limits.
var defaultLimits = Limits{
	Sessions: 2000, PerOccupant: 10, Puppets: 20000, Affiliations: 10000, Nick: 256, Presence: 4096,
	Subject: 4096, History: 100, HistoryBytes: 1 << 20, PendingQueries: 256, Changes: 50, Reserve: 10,
}

func (l Limits) orDefaults() Limits {
	d := defaultLimits
	for _, f := range []struct {
		set *int
		def int
	}{
		{&l.Sessions, d.Sessions}, {&l.PerOccupant, d.PerOccupant}, {&l.Puppets, d.Puppets},
		{&l.Affiliations, d.Affiliations}, {&l.Nick, d.Nick}, {&l.Presence, d.Presence},
		{&l.Subject, d.Subject}, {&l.History, d.History}, {&l.HistoryBytes, d.HistoryBytes},
		{&l.PendingQueries, d.PendingQueries}, {&l.Changes, d.Changes}, {&l.Reserve, d.Reserve},
	} {
		if *f.set <= 0 {
			*f.set = f.def
		}
	}
	return l
}
