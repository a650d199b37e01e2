package room

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/room/affiliations"
	"github.com/dragoman-im/dragoman/core/room/hats"
	"github.com/dragoman-im/dragoman/core/room/history"
	"github.com/dragoman-im/dragoman/core/room/muc"
	"github.com/dragoman-im/dragoman/core/room/occupants"
	"github.com/dragoman-im/dragoman/core/room/rules"
	"github.com/dragoman-im/dragoman/core/room/visits"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// Room is one chat room. It is owned by one goroutine at a time.
type Room struct {
	setup
	lasting
	occupants *occupants.List
	visits    *visits.Visits
	requests  map[jid.JID]string // the nick that a bare JID asks for, until an admin decides (XEP-0045 §9.9)
	history   history.Source
	ring      *history.Ring // the room's own history; nil if Options.History is set
	queries   map[string]*relayed
	invites   map[jid.JID]jid.JID // by bare JID of the invited: the session that invited it
	created   bool                // the next session that enters gets status 201
	gone      bool
}

// setup holds the Options of a room.
type setup struct {
	jid    jid.JID
	owner  Owner
	saver  func(context.Context, Change) error // nil if nothing is to be saved
	now    func() time.Time
	log    *slog.Logger
	secret []byte
	limits rules.Limits
}

// lasting is the state that does not depend on occupants: what a Snapshot contains and a Change changes.
type lasting struct {
	info    rules.Info
	config  rules.Config
	subject Subject
	hats    hats.List
	lists   *affiliations.Lists
}

// New returns a room. It panics if JID, Send, Owner or Secret is missing.
func New(opts Options) *Room {
	if opts.JID.IsZero() || !opts.JID.IsBare() || opts.Send == nil || opts.Owner == nil || len(opts.Secret) == 0 {
		panic("room: JID, Send, Owner and Secret are needed")
	}
	r := &Room{
		setup: setup{
			jid: opts.JID, owner: opts.Owner, saver: opts.Save, now: opts.Now,
			log: opts.Log, secret: opts.Secret, limits: opts.Limits.OrDefaults(),
		},
		lasting: lasting{info: opts.Info, config: opts.Config},
		visits:  visits.New(), requests: map[jid.JID]string{},
		history: opts.History, queries: map[string]*relayed{}, created: opts.Created,
	}
	r.lists = affiliations.New(r.limits.Affiliations)
	r.occupants = occupants.New(occupants.Room{
		JID: r.jid, Limits: r.limits, Config: &r.config, Hats: &r.hats, Send: opts.Send, SendMany: opts.SendMany,
	})
	if opts.SendMany == nil {
		r.occupants.SendMany = func(st *stanza.Stanza, to []stanza.Receiver) { stanza.SendEach(r.send, []*stanza.Stanza{st}, to) }
	}
	if r.now == nil {
		r.now = time.Now
	}
	if r.log == nil {
		r.log = slog.Default()
	}
	r.log = r.log.With("room", r.jid.String())
	if opts.Snapshot != nil {
		r.restore(opts.Snapshot)
	}
	if r.history == nil {
		r.ring = history.NewRing(r.limits.History, r.limits.HistoryBytes)
		r.history = r.ring
	}
	return r
}

// Gone reports whether the room was destroyed.
func (r *Room) Gone() bool { return r.gone }

// JID returns the room's address.
func (r *Room) JID() jid.JID { return r.jid }

// Info describes the room.
func (r *Room) Info() rules.Info { return r.info }

// Config returns the rules of the room.
func (r *Room) Config() rules.Config { return r.config }

// Handle handles a stanza of any kind to the room or to an occupant.
func (r *Room) Handle(ctx context.Context, st *stanza.Stanza) {
	if st.From.IsZero() || st.To.Bare() != r.jid {
		return
	}
	var err error
	switch {
	case st.Type == stanza.TypeError || st.Kind == stanza.IQ && st.Type == stanza.TypeResult:
		r.handleReply(ctx, st)
	case r.gone:
		err = stanza.Gone("This room does not exist any longer.")
	case st.Kind == stanza.Presence:
		err = r.handlePresence(ctx, st)
	case st.Kind == stanza.Message:
		err = r.handleMessage(ctx, st)
	case st.Kind == stanza.IQ && r.config.Locked && r.actor(st.From).aff != rules.AffOwner:
		err = stanza.ItemNotFound("This room is not open yet.") // XEP-0045 §7.2.10
	case st.Kind == stanza.IQ:
		err = r.handleIQ(ctx, st)
	}
	if err != nil {
		r.Refuse(st, err)
	}
}

// Refuse answers st with an error, also after an Owner has accepted it.
func (r *Room) Refuse(st *stanza.Stanza, err error) {
	e := r.stanzaError(err, "stanza", st.Kind.String())
	if st.Kind == stanza.Presence && st.Type == stanza.TypeUnavailable {
		return // no client waits for an answer to unavailable presence
	}
	if reply := muc.ErrorReply(st, e); reply != nil {
		r.send(reply)
	}
}

// send sends one stanza.
func (r *Room) send(st *stanza.Stanza) { r.occupants.Send(st) }

func (r *Room) stanzaError(err error, attrs ...any) *stanza.Error {
	var e *stanza.Error
	if errors.As(err, &e) {
		return e
	}
	r.log.Error("room request failed", append(attrs, "error", err)...)
	return stanza.FromError(err)
}

// askOwner calls Owner.Allow; done reports whether the Room must carry out the action.
func (r *Room) askOwner(ctx context.Context, a Action) (done bool, err error) {
	err = r.owner.Allow(ctx, r, a)
	if errors.Is(err, ErrHandled) {
		return false, nil
	}
	return err == nil, err
}

func (r *Room) notify(ctx context.Context, e Event) {
	e.At = r.now()
	r.owner.Notify(ctx, r, e)
}
