package rooms

import (
	"context"
	"errors"
	"fmt"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/room"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// Entry represents one room address in a Service. Its room may be loaded, not loaded, or not exist.
// It belongs to the goroutine of the room's mailbox.
type Entry struct {
	service *Service
	at      jid.JID
	out     Sender
	room    *room.Room // nil while it is not loaded
}

// NewEntry returns the Entry for an address. Mailboxes need one for each address.
func (s *Service) NewEntry(at jid.JID) *Entry { return &Entry{service: s, at: at} }

// Loaded returns the room, nil while it is not loaded.
func (h *Entry) Loaded() *room.Room { return h.room }

// Disposable reports whether the room may be dropped from memory: no session is in it.
func (h *Entry) Disposable() bool { return h.room == nil || h.room.Sessions() == 0 }

// Flush sends the stanzas that the Sender has collected.
func (h *Entry) Flush() {
	if h.out != nil {
		h.out.Flush()
	}
}

// Close drops the room from memory; its occupants get status 332.
func (h *Entry) Close() {
	if h.room != nil {
		h.room.Close()
		h.Flush()
		h.room = nil
	}
}

// sender returns the Sender of the room. The first call creates it.
func (h *Entry) sender() Sender {
	if h.out == nil {
		h.out = h.service.opts.Sender()
	}
	return h.out
}

// Room returns the room. It loads the room if necessary and returns ErrNoRoom if it does not exist.
func (h *Entry) Room(ctx context.Context) (*room.Room, error) {
	if h.room != nil {
		return h.room, nil
	}
	kept, err := h.load(ctx)
	if err != nil {
		return nil, err
	}
	err = h.open(ctx, kept, false)
	return h.room, err
}

// load reads the room from the Store.
func (h *Entry) load(ctx context.Context) (*room.Snapshot, error) {
	store := h.service.opts.Store
	if store == nil {
		return nil, nil
	}
	kept, ok, err := store.LoadRoom(ctx, h.at)
	switch {
	case err != nil:
		return nil, fmt.Errorf("load room %s: %w", h.at, err)
	case !ok:
		return nil, ErrNoRoom
	case !kept.Config.Persistent || kept.Config.Locked: // left over by a process that ended while the room had occupants
		if err := store.SaveRoom(ctx, h.at, room.Change{Destroyed: true}); err != nil {
			return nil, fmt.Errorf("remove leftover room %s: %w", h.at, err)
		}
		return nil, ErrNoRoom
	}
	return &kept, nil
}

// open creates the Room from its stored state, with its puppets.
func (h *Entry) open(ctx context.Context, kept *room.Snapshot, created bool) error {
	r, opened, err := h.make(ctx, kept, created)
	if err != nil {
		return err
	}
	for _, p := range opened.Past {
		r.AddHistory(p)
	}
	for _, p := range opened.Puppets {
		if _, err := r.SetPuppet(ctx, p); err != nil {
			h.service.opts.Log.Warn("puppet left out of a room", "room", h.at.String(), "error", err)
		}
	}
	h.room = r
	return nil
}

// make returns a Room with the stored state, without occupants and history.
func (h *Entry) make(ctx context.Context, kept *room.Snapshot, created bool) (*room.Room, Opened, error) {
	o := &h.service.opts
	opened, err := o.Policy.Open(ctx, h.at, kept)
	if err != nil {
		return nil, opened, err
	}
	if opened.Snapshot != nil {
		kept = opened.Snapshot
	}
	out := h.sender()
	limits := o.Limits
	if opened.Limits != nil {
		limits = *opened.Limits
	}
	opts := room.Options{
		JID: h.at, Send: out.Send, SendMany: out.SendMany, Owner: opened.Owner, Secret: o.Secret, Snapshot: kept,
		Created: created, History: opened.History, Limits: limits, Now: o.Now, Log: o.Log,
	}
	if o.Store != nil {
		opts.Save = h.save
	}
	return room.New(opts), opened, nil
}

// save flushes what was sent before and then writes a change.
func (h *Entry) save(ctx context.Context, c room.Change) error {
	h.Flush()
	return h.service.opts.Store.SaveRoom(ctx, h.at, c)
}

// Handle handles a stanza to the room. If the sender is not in the room and may not see it, the answer is
// that of a room that does not exist.
func (h *Entry) Handle(ctx context.Context, st *stanza.Stanza) {
	if st.Kind != stanza.Message {
		h.Flush() // the answer may need I/O, and messages sent before must not wait for it
	}
	if answer := st.Type == stanza.TypeError || st.Type == stanza.TypeResult; answer || h.room != nil && h.room.Has(st.From) {
		if h.room != nil {
			h.room.Handle(ctx, st)
			h.settle(ctx)
		}
		return
	}
	if st.Kind == stanza.Presence && st.Type != "" {
		return // the sender is not in the room: no effect (XEP-0045 §17.3)
	}
	r, err := h.Room(ctx)
	seen := false
	if err == nil {
		seen, err = h.service.opts.Policy.Sees(ctx, st.From.Bare(), r)
	}
	none := errors.Is(err, ErrNoRoom) || err == nil && !seen
	switch {
	case none && entering(st):
		err = h.create(ctx, st)
	case none:
		err = missing()
	}
	if err == nil {
		h.room.Handle(ctx, st)
	} else {
		refuse(h.sender().Send, st, h.service.fault(err, h.at))
	}
	h.settle(ctx)
}

// Do runs f with the room, which it loads if necessary.
func (h *Entry) Do(ctx context.Context, f func(ctx context.Context, r *room.Room) error) error {
	r, err := h.Room(ctx)
	if err != nil {
		return err
	}
	err = f(ctx, r)
	h.settle(ctx)
	return err
}

// settle drops a destroyed room from memory, and removes a temporary room, or one that was not configured, after the last session
// has left it (XEP-0045 §10.1.2, §10.1.3).
func (h *Entry) settle(ctx context.Context) {
	r := h.room
	switch {
	case r == nil:
	case r.Gone():
		h.room = nil
	case h.service.opts.Store != nil && r.Sessions() == 0 && (!r.Config().Persistent || r.Config().Locked):
		if err := r.Destroy(ctx, jid.JID{}, ""); err != nil {
			h.service.opts.Log.Error("removing an empty room", "room", h.at.String(), "error", err)
			return // tried again with the next stanza, or when it is loaded again
		}
		h.room = nil
	}
}
