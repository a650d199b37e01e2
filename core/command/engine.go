package command

import (
	"context"
	"crypto/rand"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/dragoman-im/dragoman/core/disco"
	"github.com/dragoman-im/dragoman/core/form"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// The defaults of Limits.
const (
	defaultTimeout = 15 * time.Minute
	defaultPerUser = 5
	defaultTotal   = 1000
	maxSteps       = 50 // kept for "prev"
)

// Limits bound the sessions of an Engine. Zero fields are set to the defaults.
type Limits struct {
	Timeout time.Duration // without a request; 15 minutes
	PerUser int           // sessions of one bare JID; a new one replaces the oldest. 5
	Total   int           // sessions; 1000
}

// Engine runs commands for IQs. It is also a disco.Source that lists them.
type Engine struct {
	limits Limits
	now    func() time.Time

	mu       sync.Mutex
	commands map[string]*Command
	sessions map[string]*session
	order    []*session // by last use, the oldest first
}

var _ disco.Source = (*Engine)(nil)

// session is one execution of a command by one requester (XEP-0050 §3.3).
type session struct {
	id      string
	command *Command
	who     Caller
	steps   []Step // the current one last
	used    time.Time
	busy    bool
	ended   bool
}

// NewEngine returns an engine without commands. now may be nil.
func NewEngine(l Limits, now func() time.Time) *Engine {
	if l.Timeout <= 0 {
		l.Timeout = defaultTimeout
	}
	if l.PerUser <= 0 {
		l.PerUser = defaultPerUser
	}
	if l.Total <= 0 {
		l.Total = defaultTotal
	}
	if now == nil {
		now = time.Now
	}
	return &Engine{limits: l, now: now, commands: map[string]*Command{}, sessions: map[string]*session{}}
}

// Add adds a command; it replaces one with the same node.
func (e *Engine) Add(c Command) {
	if c.Node == "" || c.Run == nil {
		panic("command: Node and Run are needed")
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.commands[c.Node] = &c
}

// Remove removes a command. Running executions continue.
func (e *Engine) Remove(node string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.commands, node)
}

// Commands returns the commands that a requester may run, sorted by name.
func (e *Engine) Commands(ctx context.Context, who Caller) []Command {
	e.mu.Lock()
	var all []*Command
	for _, c := range e.commands {
		all = append(all, c)
	}
	e.mu.Unlock()
	var list []Command
	for _, c := range all {
		if !c.Hidden && c.allowed(ctx, who) {
			list = append(list, *c)
		}
	}
	slices.SortFunc(list, func(a, b Command) int {
		return strings.Compare(a.Name+"\x00"+a.Node, b.Name+"\x00"+b.Node)
	})
	return list
}

// Has reports whether a node is the list of commands or one of them.
func (e *Engine) Has(node string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return node == NS || e.commands[node] != nil
}

// Command returns the command of a node, or item-not-found or forbidden (XEP-0050 §4.4).
func (e *Engine) Command(ctx context.Context, node string, who Caller) (Command, error) {
	e.mu.Lock()
	c := e.commands[node]
	e.mu.Unlock()
	if c == nil {
		return Command{}, stanza.ItemNotFound("There is no such command.")
	}
	if !c.allowed(ctx, who) {
		return Command{}, stanza.Forbidden("This command is not for you.")
	}
	return *c, nil
}

// DiscoInfo describes the list and each command (XEP-0050 §2.2).
func (e *Engine) DiscoInfo(ctx context.Context, q disco.Query) (disco.Info, error) {
	switch q.Node {
	case "":
		return disco.Info{Features: []string{NS}}, nil // XEP-0050 §2.1
	case NS:
		return disco.Info{
			Identities: []disco.Identity{{Category: "automation", Type: "command-list"}},
			Features:   []string{NS, disco.NSInfo, disco.NSItems},
		}, nil
	}
	c, err := e.Command(ctx, q.Node, Caller{JID: q.From, To: q.To})
	if err != nil {
		return disco.Info{}, err
	}
	return disco.Info{
		Identities: []disco.Identity{{Category: "automation", Type: "command-node", Name: c.Name}},
		Features:   []string{NS, form.NS, disco.NSInfo},
	}, nil
}

// DiscoItems lists the commands (XEP-0050 §2.2).
func (e *Engine) DiscoItems(ctx context.Context, q disco.Query) ([]disco.Item, error) {
	switch q.Node {
	case NS:
	case "":
		return nil, stanza.ItemNotFound("")
	default:
		_, err := e.Command(ctx, q.Node, Caller{JID: q.From, To: q.To})
		return nil, err
	}
	var items []disco.Item
	for _, c := range e.Commands(ctx, Caller{JID: q.From, To: q.To}) {
		items = append(items, disco.Item{JID: q.To, Node: c.Node, Name: c.Name})
	}
	return items, nil
}

// Sessions returns the number of running executions.
func (e *Engine) Sessions() int {
	e.expire()
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.sessions)
}

// open creates a session, if the limits allow it.
func (e *Engine) open(c *Command, who Caller) (*session, error) {
	e.expire()
	e.mu.Lock()
	var dropped *session
	defer func() {
		e.mu.Unlock()
		dropped.cancel()
	}()
	mine := 0
	var oldest *session
	for _, s := range e.order {
		if s.who.JID.Bare() == who.JID.Bare() {
			mine++
			if oldest == nil && !s.busy {
				oldest = s
			}
		}
	}
	switch {
	case mine >= e.limits.PerUser && oldest == nil, len(e.sessions) >= e.limits.Total && mine == 0:
		return nil, stanza.ResourceConstraint("Too many commands are under way. Try again later.")
	case mine >= e.limits.PerUser, len(e.sessions) >= e.limits.Total:
		if oldest == nil {
			return nil, stanza.ResourceConstraint("Too many commands are under way. Try again later.")
		}
		e.drop(oldest)
		dropped = oldest
	}
	s := &session{id: newID(), command: c, who: who, used: e.now(), busy: true}
	e.sessions[s.id] = s
	e.order = append(e.order, s)
	return s, nil
}

// acquire returns a session for exclusive use until release.
func (e *Engine) acquire(id string, who jid.JID, node string) (*session, error) {
	e.expire()
	e.mu.Lock()
	defer e.mu.Unlock()
	s := e.sessions[id]
	switch {
	case s == nil, s.who.JID != who: // the same answer, so that session ids of others cannot be guessed
		return nil, failure(stanza.NotAllowed("This command has ended or has timed out. Start it again."), "session-expired")
	case s.command.Node != node:
		return nil, failure(stanza.BadRequest("This session is of another command."), "bad-sessionid")
	case s.busy:
		return nil, stanza.UnexpectedRequest("The step before is not done yet.")
	}
	s.busy = true
	return s, nil
}

// recheck ends an acquired session of a requester who may not run the command any more.
func (e *Engine) recheck(ctx context.Context, s *session) error {
	if s.command.allowed(ctx, s.who) {
		return nil
	}
	s.cancel()
	e.release(s, true)
	return stanza.Forbidden("This command is not for you.")
}

// release ends the exclusive use of a session, or the session itself.
func (e *Engine) release(s *session, end bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	s.busy = false
	if s.ended {
		return
	}
	if end {
		e.drop(s)
		return
	}
	s.used = e.now()
	e.order = append(without(e.order, s), s)
}

// drop removes a session. The lock is held.
func (e *Engine) drop(s *session) {
	s.ended = true
	delete(e.sessions, s.id)
	e.order = without(e.order, s)
}

func without(list []*session, s *session) []*session {
	return slices.DeleteFunc(list, func(o *session) bool { return o == s })
}

// Forget drops the sessions of a bare JID whose account was deleted.
func (e *Engine) Forget(who jid.JID) {
	e.mu.Lock()
	var gone []*session
	for _, s := range slices.Clone(e.order) {
		if s.who.JID.Bare() == who {
			e.drop(s)
			if !s.busy { // a running step cannot be cancelled; its session ends with it
				gone = append(gone, s)
			}
		}
	}
	e.mu.Unlock()
	for _, s := range gone {
		s.cancel()
	}
}

// expire drops the sessions that have timed out.
func (e *Engine) expire() {
	e.mu.Lock()
	now := e.now()
	var old []*session
	for _, s := range slices.Clone(e.order) {
		if !s.busy && now.Sub(s.used) > e.limits.Timeout {
			e.drop(s)
			old = append(old, s)
		}
	}
	e.mu.Unlock()
	for _, s := range old {
		s.cancel()
	}
}

// cancel calls Cancel of the current step. s may be nil.
func (s *session) cancel() {
	if s == nil || len(s.steps) == 0 {
		return
	}
	if c := s.steps[len(s.steps)-1].Cancel; c != nil {
		c()
	}
}

// newID returns a session id with at least 128 random bits.
func newID() string { return rand.Text() }
