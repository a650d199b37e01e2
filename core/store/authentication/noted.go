package authentication

import (
	"sync"
	"time"

	"github.com/dragoman-im/dragoman/core/sasl"
)

// Constants of noted.
const (
	notedFor = 10 * time.Minute // so much earlier than its last login a client may be said to have been seen
	maxNoted = 10_000
)

// noted remembers which clients were written to the database a short time ago, so that a client that logs in again and again does not
// cause a write each time.
type noted struct {
	mu   sync.Mutex
	last map[string]note // by account and client
}

// note is what was written of a client.
type note struct {
	at     time.Time
	agent  sasl.UserAgent
	proved string // key of the password; after a change of the password the client is noted anew
}

// skip reports whether a login need not be written, and remembers it otherwise.
func (n *noted) skip(id sasl.Identity, agent sasl.UserAgent, now time.Time) bool {
	if !id.ByToken() && id.Proved().StoredKey == nil {
		return false // what a back end has checked may have been withdrawn and granted again
	}
	key := id.JID.String() + "/" + agent.ID
	n.mu.Lock()
	defer n.mu.Unlock()
	is := note{now, agent, string(id.Proved().StoredKey)}
	was, ok := n.last[key]
	if ok && was.agent == agent && (id.ByToken() || was.proved == is.proved) && now.Sub(was.at) < notedFor {
		return true
	}
	if n.last == nil || len(n.last) >= maxNoted {
		n.last = map[string]note{}
	}
	n.last[key] = is
	return false
}

// forget makes the next login of a client be written.
func (n *noted) forget(account, client string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.last, account+"/"+client)
}
