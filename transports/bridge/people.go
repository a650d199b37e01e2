package bridge

import (
	"context"
	"crypto/sha256"
	"encoding/base32"
	"strings"
	"sync"

	"github.com/dragoman-im/dragoman/core/room"
	"github.com/dragoman-im/dragoman/transports"
)

// people remembers persons of the network, so that an event costs no query for its actor.
type people struct {
	mu   sync.Mutex
	by   map[transports.UserID]transports.UserInfo
	lost map[lookup]int // that failed
}

// lookup is a question for a person by an account's session.
type lookup struct {
	account transports.LoginID
	user    transports.UserID
}

const maxPeople = 50_000

func (p *people) get(id transports.UserID) (transports.UserInfo, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	u, ok := p.by[id]
	return u, ok
}

func (p *people) put(list ...transports.UserInfo) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, u := range list {
		if p.by == nil || len(p.by) >= maxPeople {
			p.by = map[transports.UserID]transports.UserInfo{}
		}
		p.by[u.ID] = u
	}
}

const (
	maxLost  = 3    // after so many look-ups that failed nobody asks again
	manyLost = 1000 // after so many of them all may be asked again
)

func (p *people) isLost(id lookup) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.lost[id] >= maxLost
}

func (p *people) lose(id lookup) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.lost == nil || len(p.lost) >= manyLost {
		p.lost = map[lookup]int{}
	}
	p.lost[id]++
}

// person finds somebody's name and the rest: here, in the store, at the network. name is
// what the event calls them, where nothing else is known.
func (g *Gateway) person(ctx context.Context, a *account, id transports.UserID, name string) transports.UserInfo {
	if u, ok := g.people.get(id); ok {
		return u
	}
	u, ok, err := g.store.Puppet(ctx, id)
	if err != nil {
		g.log.Error("reading a person", "user", id, "error", err)
	}
	if ok {
		g.people.put(u)
		return u
	}
	if u, ok := g.profile(ctx, a, id); ok {
		g.people.put(u)
		return u
	}
	if name == "" {
		name = string(id)
	}
	return transports.UserInfo{ID: id, Name: name}
}

// sees tells whether the network has shown somebody to an account. The gateway knows the people of
// all accounts; each is told of its own only.
func (g *Gateway) sees(ctx context.Context, a *account, id transports.UserID) bool {
	if id == a.user {
		return true
	}
	ok, err := g.store.Sees(ctx, a.id, id)
	if err != nil {
		g.log.Error("looking whether an account sees a person", "account", a.id, "user", id, "error", err)
	}
	return ok && err == nil
}

// meets is sees, or else the network shows them now.
func (g *Gateway) meets(ctx context.Context, a *account, id transports.UserID) bool {
	if g.sees(ctx, a, id) {
		return true
	}
	u, ok := g.profile(ctx, a, id)
	if ok {
		g.people.put(u)
	}
	return ok
}

// profile asks the network about somebody.
func (g *Gateway) profile(ctx context.Context, a *account, id transports.UserID) (transports.UserInfo, bool) {
	if a == nil || !g.info.Caps.Profiles || id == "" {
		return transports.UserInfo{}, false
	}
	p, ok := a.ready().(transports.Profiler)
	question := lookup{a.id, id}
	if !ok || g.people.isLost(question) {
		return transports.UserInfo{}, false
	}
	ctx, cancel := context.WithTimeout(ctx, lookupTimeout)
	defer cancel()
	u, err := p.Profile(ctx, id)
	if err != nil || u.ID != id {
		g.people.lose(question)
		g.log.Debug("looking up a person", "user", id, "error", err)
		return transports.UserInfo{}, false
	}
	u = clip(u)
	if err := g.store.PutPuppets(ctx, "", []transports.UserInfo{u}); err != nil {
		g.log.Error("keeping a person", "user", id, "error", err)
	}
	return u, true
}

// displayName is what to call somebody.
func displayName(u transports.UserInfo) string {
	for _, n := range []string{u.Name, u.Handle, string(u.ID)} {
		if n = strings.TrimSpace(n); n != "" {
			return n
		}
	}
	return "somebody"
}

// clip bounds what the network says of somebody.
func clip(u transports.UserInfo) transports.UserInfo {
	for _, s := range []*string{&u.Name, &u.Handle, &u.Email, &u.Phone, &u.Title, &u.Group, &u.AvatarKey} {
		*s = cutBytes(*s, maxName)
	}
	for _, s := range []*string{&u.Avatar, &u.URL} {
		if len(*s) > 2048 {
			*s = ""
		}
	}
	return u
}

// occupantID is somebody's id in every room of this gateway (XEP-0421). name is not empty
// for a persona that shares its user with others, such as a webhook's.
func (g *Gateway) occupantID(id transports.UserID, name string) string {
	return hash(g.domain.String(), "occupant", string(id), name)
}

// hash makes a short stable id of its parts.
func hash(parts ...string) string {
	h := sha256.New()
	for _, p := range parts {
		h.Write([]byte{byte(len(p) >> 8), byte(len(p))})
		h.Write([]byte(p))
	}
	return strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(h.Sum(nil)[:15]))
}

// roomMember is how somebody of the network stands in a room.
func (g *Gateway) roomMember(u transports.UserInfo, persona string) room.Puppet {
	m := room.Puppet{ID: g.occupantID(u.ID, persona), Nick: displayName(u), Affiliation: room.AffMember}
	if persona != "" {
		m.Nick, m.Affiliation = persona, room.AffNone
	}
	if j, err := g.contactJID(u.ID); err == nil {
		m.JID = j
	}
	if u.Bot {
		m.Hats = []room.Hat{{URI: "urn:dragoman:bot", Title: "Bot"}}
	}
	return m
}
