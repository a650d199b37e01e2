package logins

import (
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/transports"
)

// Registry has the logins of a gateway.
type Registry struct {
	mu       sync.Mutex
	byID     map[transports.LoginID]*Login
	byOwner  map[jid.JID][]*Login // by bare JID, the oldest first
	byUser   map[transports.UserID]*Login
	removed  map[jid.JID]removal // owners whose own accounts were deleted of late
	removals int64               // so many owners were removed since the start
}

// removal records that the account of an owner was deleted. A later account with the same address belongs to
// somebody else.
type removal struct {
	number int64 // among all removals
	at     time.Time
}

// keepRemovals is for how long a linking that was under way may still come to its end.
const keepRemovals = time.Hour

func newRegistry() *Registry {
	return &Registry{
		byID: map[transports.LoginID]*Login{}, byOwner: map[jid.JID][]*Login{}, byUser: map[transports.UserID]*Login{},
		removed: map[jid.JID]removal{},
	}
}

func (r *Registry) add(l *Login) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.byID[l.ID] = l
	r.byOwner[l.Owner] = append(slices.Clone(r.byOwner[l.Owner]), l)
	r.byUser[l.User] = l
}

func (r *Registry) remove(l *Login) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.byID, l.ID)
	rest := slices.DeleteFunc(slices.Clone(r.byOwner[l.Owner]), func(o *Login) bool { return o == l })
	if r.byOwner[l.Owner] = rest; len(rest) == 0 {
		delete(r.byOwner, l.Owner)
	}
	if r.byUser[l.User] != l {
		return
	}
	delete(r.byUser, l.User)
	for _, other := range r.byID { // perhaps another local user has linked the same account
		if other.User == l.User {
			r.byUser[l.User] = other
		}
	}
}

// ByID is the login of that id, or nil.
func (r *Registry) ByID(id transports.LoginID) *Login {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.byID[id]
}

// Of are the logins of an XMPP user, the oldest first.
func (r *Registry) Of(who jid.JID) []*Login {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.byOwner[who.Bare()]
}

// ByUser is the login of a person of the network, or nil where they are nobody's here.
func (r *Registry) ByUser(user transports.UserID) *Login {
	if user == "" {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.byUser[user]
}

// All are all logins, in no order.
func (r *Registry) All() []*Login {
	r.mu.Lock()
	defer r.mu.Unlock()
	list := make([]*Login, 0, len(r.byID))
	for _, l := range r.byID {
		list = append(list, l)
	}
	return list
}

// AnyOnline reports whether calls may be made for any login.
func (r *Registry) AnyOnline() bool {
	return slices.ContainsFunc(r.All(), (*Login).Online)
}

// Number is how a login is named in commands: its place among those of its owner.
func (r *Registry) Number(l *Login) string {
	if i := slices.Index(r.Of(l.Owner), l); i >= 0 {
		return strconv.Itoa(i + 1)
	}
	return ""
}

// Find finds a login of an owner by its number, its name or its id; by nothing where there is only one.
func (r *Registry) Find(owner jid.JID, text string) *Login {
	list := r.Of(owner)
	text = strings.TrimSpace(text)
	if text == "" && len(list) == 1 {
		return list[0]
	}
	if n, err := strconv.Atoi(text); err == nil && n >= 1 && n <= len(list) {
		return list[n-1]
	}
	for _, l := range list {
		if strings.EqualFold(l.Name(), text) || string(l.ID) == text {
			return l
		}
	}
	return nil
}

// noteRemoval remembers that an owner is gone.
func (r *Registry) noteRemoval(who jid.JID, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.removals++
	r.removed[who] = removal{r.removals, now}
}

// removalCount is how many owners were removed so far.
func (r *Registry) removalCount() int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.removals
}

// removedSince reports whether an owner was removed after so many others had been.
func (r *Registry) removedSince(who jid.JID, count int64) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.removed[who].number > count
}

// Prune forgets removals that no linking under way can be older than.
func (r *Registry) Prune(now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for who, removed := range r.removed {
		if now.Sub(removed.at) > keepRemovals {
			delete(r.removed, who)
		}
	}
}
