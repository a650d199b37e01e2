package delegation

import (
	"context"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/router"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// questionTime is how long an account may answer a question, after which it can be asked again.
const questionTime = 10 * time.Minute

// consents are what accounts delegate themselves, in client mode (XEP-0355 §5). What an account has allowed lasts as long as the session
// that has allowed it, so that nothing of it is stored.
type consents struct {
	host    *router.Host
	allowed map[string]bool // namespaces; immutable
	blocks  Blocks
	limit   atomic.Int64 // of questions that wait for an account's answer
	slot    router.Slot[consent]
	crowded *atomic.Uint64 // questions that were not put because too many waited
}

// Blocks says whom accounts have blocked.
type Blocks interface {
	Blocks(ctx context.Context, a *router.Account, other jid.JID) (bool, error)
}

// consent is what one account delegates, and what it was asked.
type consent struct {
	mu        sync.Mutex
	given     map[string]given // by namespace
	questions []question
}

// given is a namespace that an account has delegated.
type given struct {
	to jid.JID       // the entity that answers
	by *router.Bound // the session that has allowed it
}

// question is what an account is asked.
type question struct {
	challenge  string
	entity     jid.JID
	namespaces []string
	at         time.Time
}

// LetAccountsDelegate lets accounts delegate some namespaces themselves. limit is how many questions wait for the answer of an account. Call it
// before the host is attached.
func (d *Delegation) LetAccountsDelegate(namespaces []string, blocks Blocks, limit int) {
	if len(namespaces) == 0 {
		return
	}
	d.consents = &consents{host: d.host, allowed: map[string]bool{}, blocks: blocks, crowded: &d.unasked}
	for _, namespace := range namespaces {
		d.consents.allowed[namespace] = true
	}
	d.consents.slot.Load = func(context.Context, *router.Account) (*consent, error) {
		return &consent{given: map[string]given{}}, nil
	}
	d.consents.limit.Store(int64(limit))
	d.host.Delegate(d.delegate)
}

// SetQuestionLimit replaces the limit of questions.
func (d *Delegation) SetQuestionLimit(limit int) {
	if d.consents != nil {
		d.consents.limit.Store(int64(limit))
	}
}

// grant returns the entity that an account has delegated a request to (XEP-0355 §5.2): one to the account from everybody, and one to
// the host from the account itself. Nothing waits here.
func (c *consents) grant(q *router.IQ) (Grant, bool) {
	account := q.Account
	if account == nil && q.Session != nil && q.Session.Account().Host() == c.host {
		account = q.Session.Account()
	}
	own := c.slot.Loaded(account)
	if own == nil || !q.Stanza.To.IsBare() && !q.Stanza.To.IsZero() {
		return Grant{}, false
	}
	to := own.entity(q.Payload.Space, account)
	if to.IsZero() || q.Stanza.From == to || q.Stanza.From.Bare() == to {
		return Grant{}, false
	}
	return Grant{Namespace: q.Payload.Space, By: to}, true
}

// entity returns to whom the account delegates a namespace; zero if to nobody.
func (c *consent) entity(namespace string, a *router.Account) jid.JID {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.drop(a)
	return c.given[namespace].to
}

// drop removes what was allowed by sessions that have ended. The caller holds the lock.
func (c *consent) drop(a *router.Account) {
	if len(c.given) == 0 {
		return
	}
	sessions := a.Sessions()
	maps.DeleteFunc(c.given, func(_ string, g given) bool { return !slices.Contains(sessions, g.by) })
}

// all returns what the account delegates, by namespace.
func (c *consent) all(a *router.Account) map[string]jid.JID {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.drop(a)
	list := map[string]jid.JID{}
	for namespace, g := range c.given {
		list[namespace] = g.to
	}
	return list
}

// give delegates namespaces to an entity. It returns that entity, and those that have lost namespaces by it.
func (c *consent) give(namespaces []string, g given) []jid.JID {
	c.mu.Lock()
	defer c.mu.Unlock()
	changed := []jid.JID{g.to}
	for _, namespace := range namespaces {
		if before, ok := c.given[namespace]; ok && !slices.Contains(changed, before.to) {
			changed = append(changed, before.to)
		}
		c.given[namespace] = g
	}
	return changed
}

// revoke ends delegations, and returns to whom they were.
func (c *consent) revoke(namespaces []string) (changed []jid.JID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, namespace := range namespaces {
		if g, ok := c.given[namespace]; ok {
			delete(c.given, namespace)
			if !slices.Contains(changed, g.to) {
				changed = append(changed, g.to)
			}
		}
	}
	return changed
}

// put notes a question. It returns false if the entity's last one waits for an answer, and crowded if too many do.
func (c *consent) put(q question, limit int) (ok, crowded bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.questions = slices.DeleteFunc(c.questions, func(o question) bool { return q.at.Sub(o.at) > questionTime })
	if slices.ContainsFunc(c.questions, func(o question) bool { return o.entity == q.entity }) {
		return false, false
	}
	if len(c.questions) >= limit {
		return false, true
	}
	c.questions = append(c.questions, q)
	return true, false
}

// take removes the question of a challenge, and returns it.
func (c *consent) take(challenge string, now time.Time) (q question, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	i := slices.IndexFunc(c.questions, func(o question) bool { return o.challenge == challenge && now.Sub(o.at) <= questionTime })
	if i < 0 {
		return question{}, false
	}
	q = c.questions[i]
	c.questions = slices.Delete(c.questions, i, i+1)
	return q, true
}

// notify tells entities what an account delegates to them now (XEP-0355 §5.1, §8 rule 3).
func (c *consents) notify(account *router.Account, own *consent, changed []jid.JID, route func(*stanza.Stanza)) {
	all := own.all(account)
	for _, entity := range changed {
		x := stanza.NewElement(NS, "delegation").With("to", account.JID().String())
		for _, namespace := range slices.Sorted(maps.Keys(all)) {
			if all[namespace] == entity {
				x.Add(stanza.NewElement(NS, "delegated").With("namespace", namespace))
			}
		}
		route(stanza.NewMessage(entity, c.host.Domain(), "", x))
	}
}
