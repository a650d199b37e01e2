package bridge

import (
	"context"
	"sync"
	"time"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/room"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/transports"
)

// Typing goes past the inbox and the outbox, and may be dropped (XEP-0085).

// fleeting shows an event that is worth nothing later.
func (g *Gateway) fleeting(a *account, e transports.Event) {
	switch b := e.Body.(type) {
	case transports.Presence:
		if b.Info.User != "" && len(b.Info.User) <= maxID {
			g.presenceChanged(a, b.Info)
		}
	case transports.Typing:
		if e.Own || g.accountOfUser(e.Actor) != nil {
			return
		}
		g.spawn(func(ctx context.Context) { g.showTyping(ctx, a, e, b.On) })
	}
}

func (g *Gateway) showTyping(ctx context.Context, a *account, e transports.Event, on bool) {
	id, err := g.place(ctx, a, e)
	if err != nil {
		return
	}
	state := "paused"
	if on {
		state = "composing"
	}
	x := stanza.NewElement(nsStates, state)
	g.post(id, false, func(ctx context.Context, w *worker) {
		switch {
		case w.direct():
			if !g.isAvailable(a.owner) {
				return
			}
			if from, err := g.contactJID(w.row.Peer); err == nil {
				g.send(stanza.NewMessage(a.owner, from, stanza.TypeChat, x, hint("no-store")))
			}
		case w.room != nil && w.room.Sessions() > 0:
			who := g.person(ctx, nil, e.Actor, e.Name)
			w.setMember(ctx, who, "")
			w.room.Broadcast(room.Post{From: g.occupantID(e.Actor, ""), Nick: displayName(who), Payload: stanza.Encode(x, hint("no-store")), Transient: true})
		}
	})
}

const typingEvery = 4 * time.Second // at most one call for each room and account

// typing tells the network that a user writes, or has stopped.
func (w *worker) typing(a *account, st *stanza.Stanza) {
	on := st.Child(nsStates, "composing") != nil
	off := st.Child(nsStates, "paused") != nil || st.Child(nsStates, "active") != nil || st.Child(nsStates, "inactive") != nil || st.Child(nsStates, "gone") != nil
	if !w.g.info.Caps.Typing || !on && !off || w.row.Net == "" {
		return
	}
	typer, ok := a.ready().(transports.Typer)
	who := st.From.Bare()
	if !ok || !on && !w.writing[who] || on && w.writing[who] && w.g.now().Sub(w.lastTyped) < typingEvery {
		return
	}
	if w.writing == nil || len(w.writing) > 1000 {
		w.writing = map[jid.JID]bool{}
	}
	w.writing[who], w.lastTyped = on, w.g.now()
	id := w.row.Net
	w.g.spawn(func(ctx context.Context) {
		ctx, cancel := context.WithTimeout(ctx, lookupTimeout)
		defer cancel()
		if err := typer.Typing(ctx, id, transports.Typing{On: on}); err != nil {
			w.g.log.Debug("telling that somebody writes", "room", id, "error", err)
		}
	})
}

// typed notes that a message ends the writing.
func (w *worker) typed(who jid.JID) { delete(w.writing, who.Bare()) }

// presences are those of the network's people, as last heard.
type presences struct {
	mu sync.Mutex
	by map[transports.UserID]transports.PresenceInfo

	sessions map[jid.JID]map[string]bool // resources that are available to us, by bare JID
}

func (p *presences) get(id transports.UserID) (transports.PresenceInfo, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	i, ok := p.by[id]
	return i, ok
}

// set keeps a presence and tells whether it is news.
func (p *presences) set(i transports.PresenceInfo) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.by == nil || len(p.by) >= maxPeople {
		p.by = map[transports.UserID]transports.PresenceInfo{}
	}
	news := p.by[i.User] != i
	p.by[i.User] = i
	return news
}

const maxResources = 20

// session notes a resource of a local user, and tells whether it is the first or was the last.
func (p *presences) session(who jid.JID, available bool) (turned bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	have := p.sessions[who.Bare()]
	if !available {
		had := len(have) > 0
		delete(have, who.Resource())
		if len(have) == 0 {
			delete(p.sessions, who.Bare())
		}
		return had && len(have) == 0
	}
	if p.sessions == nil {
		p.sessions = map[jid.JID]map[string]bool{}
	}
	first := len(have) == 0
	if have == nil {
		have = map[string]bool{}
		p.sessions[who.Bare()] = have
	}
	if len(have) < maxResources {
		have[who.Resource()] = true
	}
	return first
}

func (g *Gateway) isAvailable(who jid.JID) bool {
	g.presences.mu.Lock()
	defer g.presences.mu.Unlock()
	return len(g.presences.sessions[who.Bare()]) > 0
}
