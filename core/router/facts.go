package router

import (
	"encoding/json"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/dragoman-im/dragoman/core/disco"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// MaxDirected limits the addresses to which one session has sent directed presence that it has not
// revoked.
const MaxDirected = 2000

// Flag is a boolean property of sessions. A feature declares it in Feature.Flags before it uses it.
type Flag struct {
	Name string // unique on the host
	mask uint64
}

// Presence is the last available presence of a session. It is immutable, except for Capabilities.
type Presence struct {
	Stanza   *stanza.Stanza
	Priority int8
	Since    time.Time
	// Capabilities are those that the presence announces; nil if it announces none. features/capabilities sets them.
	Capabilities atomic.Pointer[disco.Capabilities]
}

// Facts is the state of a session that other parts of the server ask for. It suffices to restore the
// session on another connection or node.
type Facts struct {
	Presence *Presence // nil while the session is not available
	Flags    []string  // the names of the flags that are set
	Directed []jid.JID // the addresses to which it has sent directed presence
}

// factsJSON is the JSON form of Facts.
type factsJSON struct {
	Presence string    `json:"presence,omitempty"`
	From     string    `json:"from,omitempty"`
	Since    time.Time `json:"since,omitzero"`
	Flags    []string  `json:"flags,omitempty"`
	Directed []string  `json:"directed,omitempty"`
}

// Marshal encodes the facts as JSON.
func (f Facts) Marshal() ([]byte, error) {
	out := factsJSON{Flags: f.Flags}
	if p := f.Presence; p != nil {
		out.Presence, out.From, out.Since = string(p.Stanza.AppendXML(nil, "")), p.Stanza.From.String(), p.Since
	}
	for _, to := range f.Directed {
		out.Directed = append(out.Directed, to.String())
	}
	return json.Marshal(out)
}

// ParseFacts decodes the result of Marshal.
func ParseFacts(text []byte) (Facts, error) {
	var in factsJSON
	if err := json.Unmarshal(text, &in); err != nil {
		return Facts{}, fmt.Errorf("read facts of a session: %w", err)
	}
	f := Facts{Flags: in.Flags}
	for _, s := range in.Directed {
		to, err := jid.Parse(s)
		if err != nil {
			return Facts{}, fmt.Errorf("read facts of a session: %w", err)
		}
		f.Directed = append(f.Directed, to)
	}
	if in.Presence == "" {
		return f, nil
	}
	p, err := parsePresence(in)
	f.Presence = p
	return f, err
}

func parsePresence(in factsJSON) (*Presence, error) {
	st, err := stanza.Parse(in.Presence)
	if err != nil {
		return nil, fmt.Errorf("read presence of a session: %w", err)
	}
	if st.From, err = jid.Parse(in.From); err != nil {
		return nil, fmt.Errorf("read presence of a session: %w", err)
	}
	priority, ok := Priority(st)
	if !ok {
		return nil, fmt.Errorf("read presence of a session: bad priority")
	}
	return &Presence{Stanza: st, Priority: priority, Since: in.Since}, nil
}

// Facts returns a copy of the session's facts.
func (b *Bound) Facts() Facts {
	f := Facts{Presence: b.presence.Load(), Directed: b.Directed()}
	set := b.flags.Load()
	for _, flag := range b.account.host.session.flags {
		if set&flag.mask != 0 {
			f.Flags = append(f.Flags, flag.Name)
		}
	}
	return f
}

// Restore sets the facts of a session that was just bound to those of an earlier one. Flags that no
// feature declares any more are dropped.
func (b *Bound) Restore(f Facts) {
	b.presence.Store(f.Presence)
	set := uint64(0)
	for _, flag := range b.account.host.session.flags {
		for _, name := range f.Flags {
			if flag.Name == name {
				set |= flag.mask
			}
		}
	}
	b.flags.Store(set)
	for _, to := range f.Directed {
		b.AddDirected(to)
	}
	b.changed()
	for _, f := range b.account.host.session.restored {
		f(b)
	}
}

// changed calls FactsWatcher.FactsChanged and HostOptions.OnFacts.
func (b *Bound) changed() {
	if b.watcher != nil {
		b.watcher.FactsChanged()
	}
	if b.account != nil && b.account.host.onFacts != nil {
		b.account.host.onFacts(b)
	}
}

// Save tells the session to store its facts again, after what is stored of it may have been deleted.
func (b *Bound) Save() {
	if b.watcher != nil {
		b.watcher.FactsChanged()
	}
}

// Presence returns the last available presence, or nil while the session is not available.
func (b *Bound) Presence() *Presence { return b.presence.Load() }

// SetPresence sets the presence and returns the previous one; nil makes the session unavailable.
func (b *Bound) SetPresence(p *Presence) *Presence {
	before := b.presence.Swap(p)
	b.changed()
	return before
}

// With returns the presence with another stanza.
func (p *Presence) With(st *stanza.Stanza) *Presence {
	now := &Presence{Stanza: st, Priority: p.Priority, Since: p.Since}
	now.Capabilities.Store(p.Capabilities.Load())
	return now
}

// ReplacePresence sets the presence if it is still before.
func (b *Bound) ReplacePresence(before, now *Presence) bool {
	if !b.presence.CompareAndSwap(before, now) {
		return false
	}
	b.changed()
	return true
}

// Has reports whether a flag is set.
func (b *Bound) Has(f *Flag) bool { return b.flags.Load()&f.mask != 0 }

// Set sets or clears a flag.
func (b *Bound) Set(f *Flag, on bool) {
	if f.mask == 0 {
		panic("router: session flag " + f.Name + " is declared by no feature")
	}
	var before uint64
	if on {
		before = b.flags.Or(f.mask)
	} else {
		before = b.flags.And(^f.mask)
	}
	if (before&f.mask != 0) != on {
		b.changed()
	}
}

// AddDirected records that the session has sent directed presence to an address. It returns false if there
// are MaxDirected addresses already (RFC 6121 §4.6.2).
func (b *Bound) AddDirected(to jid.JID) bool {
	b.mu.Lock()
	_, known := b.directed[to]
	full := !known && len(b.directed) >= MaxDirected
	if !known && !full {
		if b.directed == nil {
			b.directed = map[jid.JID]struct{}{}
		}
		b.directed[to] = struct{}{}
	}
	b.mu.Unlock()
	if !known && !full {
		b.changed()
	}
	return !full
}

// RemoveDirected removes an address that AddDirected has added, and reports whether it was there.
func (b *Bound) RemoveDirected(to jid.JID) bool {
	b.mu.Lock()
	_, known := b.directed[to]
	delete(b.directed, to)
	b.mu.Unlock()
	if known {
		b.changed()
	}
	return known
}

// Directed returns the addresses that AddDirected has added.
func (b *Bound) Directed() []jid.JID {
	b.mu.Lock()
	defer b.mu.Unlock()
	list := make([]jid.JID, 0, len(b.directed))
	for to := range b.directed {
		list = append(list, to)
	}
	return list
}

// TakeDirected returns what Directed returns and clears the list.
func (b *Bound) TakeDirected() []jid.JID {
	list := b.Directed()
	b.mu.Lock()
	b.directed = nil
	b.mu.Unlock()
	if len(list) > 0 {
		b.changed()
	}
	return list
}

// NickIn returns the nickname under which the session has entered a room, as its directed presence says; "" if it has not.
func (b *Bound) NickIn(room jid.JID) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	for to := range b.directed {
		if to.Bare() == room && to.Resource() != "" {
			return to.Resource()
		}
	}
	return ""
}

// sentDirectedTo reports whether the session has sent directed presence to an address, its bare JID, or
// another resource of it (a room and its occupants).
func (b *Bound) sentDirectedTo(other jid.JID) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.directed) == 0 {
		return false
	}
	if _, ok := b.directed[other]; ok {
		return true
	}
	bare := other.Bare()
	for to := range b.directed {
		if to.Bare() == bare {
			return true
		}
	}
	return false
}
