package mam

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/dragoman-im/dragoman/core/archive"
	"github.com/dragoman-im/dragoman/core/command"
	"github.com/dragoman-im/dragoman/core/disco"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/message"
	"github.com/dragoman-im/dragoman/core/router"
	"github.com/dragoman-im/dragoman/core/spec"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// Store keeps the archives.
type Store interface {
	archive.Store
	archive.PrefsStore
	// Archive queues an entry without waiting; the store's writer calls done after the commit.
	Archive(account jid.JID, e archive.Entry, done func(error))
}

// Retracter removes retracted messages from archives.
type Retracter interface {
	// Retract turns a message that is in the archive into a tombstone, and returns after the commit.
	Retract(ctx context.Context, account jid.JID, r archive.Retraction) error
}

// Options are the parameters of New; each may be nil.
type Options struct {
	// Listed reports whether a contact is in the account's roster.
	Listed func(ctx context.Context, account *router.Account, contact jid.JID) (bool, error)
	// Retracter removes retracted messages; without it they stay.
	Retracter Retracter
	// Retention is how long messages are kept; without a Store accounts cannot choose that.
	Retention Retention
	Log       *slog.Logger
}

// Archive writes and queries the archives of one host's accounts.
type Archive struct {
	Options
	host   *router.Host
	store  Store
	engine *archive.Engine
	prefs  *router.Slot[archive.Prefs]
	given  *router.Slot[given]
}

// New returns the feature.
func New(h *router.Host, s Store, o Options) *Archive {
	if o.Log == nil {
		o.Log = slog.Default()
	}
	a := &Archive{Options: o, host: h, store: s}
	a.given = &router.Slot[given]{Load: func(context.Context, *router.Account) (*given, error) { return &given{}, nil }}
	a.prefs = &router.Slot[archive.Prefs]{Load: func(ctx context.Context, account *router.Account) (*archive.Prefs, error) {
		p, err := s.Prefs(ctx, account.JID())
		if err != nil {
			return nil, fmt.Errorf("read archive preferences of %s: %w", account.JID(), err)
		}
		return &p, nil
	}}
	a.engine = archive.New(archive.Options{Store: &watchedStore{s, a}, Search: true})
	h.AnswerNobody("archive", map[string]router.IQHandler{archive.NS: notYours})
	return a
}

// Feature declares the feature.
func (a *Archive) Feature() router.Feature {
	// XEP-0313 §7 has clients ask their account; profanity asks the host, where other servers name it too.
	host := router.Disco{Info: disco.Info{Features: []string{message.NSRetract, archive.NS}}}
	if a.Retention.Store != nil {
		host.Commands = []command.Command{a.retentionCommand()}
	}
	return router.Feature{
		Name:        "archive",
		Stages:      []router.Stage{{Name: "archive", Position: router.Archive, Outbound: a.sent, Inbound: a.received, Skip: a.skips}},
		AccountIQ:   map[string]router.IQHandler{archive.NS: a.iq},
		BeforeLogin: &router.BeforeLogin{Inline: router.Inline{Bound: a.bound}},
		AccountDisco: router.Disco{Info: disco.Info{
			Features: append(a.engine.Features(false), message.NSStanzaID, message.NSRetract, message.NSRetract+"#tombstone"), // XEP-0313 §7, XEP-0359 §4, XEP-0424 §2, §4
		}},
		HostDisco: host,
		Slots:     []router.AccountSlot{a.prefs, a.given},
		Specs: []spec.Spec{
			{Number: "0441", Title: "Message Archive Management Preferences", Version: "0.2.0", State: spec.Complete, Note: "Server."},
		},
	}
}

// watchedStore is the store as the engine uses it: a change of preferences invalidates the cached ones.
type watchedStore struct {
	Store
	archive *Archive
}

func (w *watchedStore) SetPrefs(ctx context.Context, account jid.JID, p archive.Prefs) error {
	err := w.Store.SetPrefs(ctx, account, p)
	w.archive.prefs.Invalidate(w.archive.host.Local(account)) // also after an error: it may have been written
	return err
}

// bound tells a client what the archive has when its session is bound (XEP-0386 §4.2).
func (a *Archive) bound(ctx context.Context, b *router.Bound) *stanza.Element {
	x, err := a.engine.Metadata(ctx, b.Account().JID())
	if err != nil {
		a.Log.Log(ctx, level(err), "client is not told of its archive", "account", b.Account().JID(), "err", err)
		return nil
	}
	return x
}

func (a *Archive) iq(ctx context.Context, q *router.IQ) (*stanza.Element, error) {
	if !q.Own() || q.Session == nil { // messages of the archive go to a session
		return notYours(ctx, q)
	}
	r := archive.Request{Archive: q.Account.JID(), IQ: q.Stanza}
	r.Sent = func(id string) { a.noteGiven(ctx, q.Session, id) }
	return a.engine.Handle(ctx, r, func(st *stanza.Stanza) { q.Deliver(q.Session, st) })
}

// notYours answers everybody but the account itself (XEP-0313 §8.1). Addresses without an account are answered alike, so that
// the answer does not tell whether there is one.
func notYours(context.Context, *router.IQ) (*stanza.Element, error) {
	return nil, stanza.Forbidden("An archive is for its owner alone.")
}

func (a *Archive) sent(ctx context.Context, p *router.Pass) error {
	st := p.Stanza
	if st.Kind != stanza.Message || st.To.Bare() == p.Account.JID() || message.ToService(st) { // a message to the own account is archived by received
		return nil
	}
	if a.shouldArchive(ctx, p, st.To) {
		st.GiveEntry() // safe: no other goroutine has the stanza yet
		a.retract(ctx, p, st.To)
		if !p.ReceiverArchives() {
			a.write(p)
		}
	}
	return nil
}

func (a *Archive) received(ctx context.Context, p *router.Pass) error {
	if p.Stanza.Kind != stanza.Message {
		return nil
	}
	p.Stanza = message.WithoutStanzaID(p.Stanza, p.Account.JID())
	if !a.shouldArchive(ctx, p, p.Stanza.From) {
		return nil
	}
	id := p.Stanza.Entry
	if id == "" {
		id = stanza.NewID()
	}
	p.Stanza = message.WithStanzaID(p.Stanza, p.Account.JID(), id)
	p.Stanza.Entry = id
	a.retract(ctx, p, p.Stanza.From)
	a.write(p)
	return nil
}

// skips implements router.Stage.Skip: nobody archives the message, and it has no stanza-id of an account.
func (a *Archive) skips(st *stanza.Stanza) bool {
	return st.Kind != stanza.Message || !message.Archivable(st) && !message.MayHaveStanzaID(st, a.host.Domain())
}

// retract removes the message that this one retracts from the account's archive. Only who has sent a message can do that.
func (a *Archive) retract(ctx context.Context, p *router.Pass, contact jid.JID) {
	r, ok := archive.RetractionOf(p.Stanza, contact, time.Now())
	if !ok || a.Retracter == nil {
		return
	}
	if err := a.Retracter.Retract(ctx, p.Account.JID(), r); err != nil {
		a.Log.Error("retracted message is still in the archive", "account", p.Account.JID(), "err", err)
	}
}

// write queues the message for the store.
func (a *Archive) write(p *router.Pass) {
	written, account := p.BeginWrite(), p.Account.JID()
	a.store.Archive(account, archive.Entry{ID: p.Stanza.Entry, At: time.Now(), Stanza: p.Stanza}, func(err error) {
		switch {
		case errors.Is(err, archive.ErrTwice): // the message was received before, and has come again after a crash
			err = nil
		case err != nil:
			a.Log.Log(context.Background(), level(err), "message not archived", "account", account, "err", err)
		}
		written(err)
	})
}

// level returns the log level of an error. Temporary errors are logged by the store once, not for each
// message.
func level(err error) slog.Level {
	if stanza.Temporary(err) {
		return slog.LevelDebug
	}
	return slog.LevelError
}

// shouldArchive reports whether a message is archived for the account, by its content and the account's
// preferences.
func (a *Archive) shouldArchive(ctx context.Context, p *router.Pass, contact jid.JID) bool {
	if !message.Archivable(p.Stanza) {
		return false
	}
	prefs, err := a.prefs.Get(ctx, p.Account)
	if err != nil {
		a.Log.Error("archive preferences not read", "account", p.Account.JID(), "err", err)
		return true // archiving too much is better than losing a message
	}
	listed := false
	if prefs.Default == archive.Roster && a.Listed != nil {
		if listed, err = a.Listed(ctx, p.Account, contact.Bare()); err != nil {
			a.Log.Error("roster not looked up", "account", p.Account.JID(), "err", err)
			return true
		}
	}
	return prefs.Archives(contact, listed)
}
