package router

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"sync/atomic"

	"github.com/dragoman-im/dragoman/core/command"
	"github.com/dragoman-im/dragoman/core/disco"
	"github.com/dragoman-im/dragoman/core/spec"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// Feature is one extension of a served host. Every field except Name is optional.
type Feature struct {
	Name   string
	Stages []Stage
	// HostIQ and AccountIQ answer requests to the domain and to an account; the key is the namespace of
	// the request's payload.
	HostIQ, AccountIQ map[string]IQHandler
	HostMessage       MessageHandler  // handles messages to the domain itself
	Presence          PresenceHandler // at most one feature of a host sets it
	// HostDisco and AccountDisco are added to the service discovery answers of the domain and of every
	// account.
	HostDisco, AccountDisco Disco
	// StreamFeatures returns elements that are advertised to clients that have logged in.
	StreamFeatures func(ctx context.Context) []*stanza.Element
	BeforeLogin    *BeforeLogin
	Slots          []AccountSlot
	Flags          []*Flag
	Counters       []Counter
	Specs          []spec.Spec
}

// MessageHandler handles a message to the domain itself. nil means that the handler is not responsible for
// the message and the next one is asked; other returned errors are those of a stage.
type MessageHandler func(ctx context.Context, p *Pass) error

// Disco is what a feature adds to service discovery.
type Disco struct {
	disco.Info
	Source   disco.Source      // answers for nodes and items, and adds what changes at run time; may be nil
	Commands []command.Command // ad-hoc commands (XEP-0050), for HostDisco
}

// Unauthenticated is a client that has not logged in, on one connection.
type Unauthenticated struct {
	Address netip.Addr
	Token   string // of an invitation that was found to be good (XEP-0445 §4); "" for none
}

// BeforeLogin is what a feature offers to clients before they have logged in.
type BeforeLogin struct {
	StreamFeatures []*stanza.Element
	// Answer returns the answer to an IQ, or nil for no answer. It may wait for the store.
	Answer func(ctx context.Context, who *Unauthenticated, iq *stanza.Stanza) *stanza.Stanza
	Inline Inline // what a client can ask for together with its login
}

// Counter counts how often a limit was reached.
type Counter struct {
	Setting string // name of the limit in the configuration, such as limits.vcard_bytes
	Value   *atomic.Uint64
}

// Use adds features to the host, in this order. Call it before the host is attached. It panics if two
// features handle the same namespace for the same target, declare the same flag, or both handle presence.
func (h *Host) Use(list ...Feature) {
	for _, f := range list {
		h.features = append(h.features, f)
		h.register(toHost, f.Name, f.HostIQ)
		h.register(toAccount, f.Name, f.AccountIQ)
		h.stages = append(h.stages, f.Stages...)
		if f.Presence != nil {
			if h.presence != nil {
				panic(fmt.Sprintf("router: %s handles presence, which another feature does already", f.Name))
			}
			h.presence = f.Presence
		}
		for _, flag := range f.Flags {
			if len(h.session.flags) == 64 || slices.ContainsFunc(h.session.flags, func(o *Flag) bool { return o.Name == flag.Name }) {
				panic(fmt.Sprintf("router: %s declares session flag %q, which is taken or one too many", f.Name, flag.Name))
			}
			flag.mask = 1 << len(h.session.flags)
			h.session.flags = append(h.session.flags, flag)
		}
		for _, slot := range f.Slots {
			slot.setIndex(h.slots)
			h.slots++
		}
	}
	slices.SortStableFunc(h.stages, func(a, b Stage) int { return int(a.Position) - int(b.Position) })
}

// AnswerNobody sets handlers of a feature for requests to addresses without an account, of which IQ.Account is nil: they
// answer as an account answers strangers, where that is not service-unavailable. Call it before the host is attached.
func (h *Host) AnswerNobody(feature string, handlers map[string]IQHandler) {
	h.register(toNobody, feature, handlers)
}

// register adds the IQ handlers of a feature for one target.
func (h *Host) register(to target, feature string, handlers map[string]IQHandler) {
	for space, f := range handlers {
		if h.requests.handlers[to][space] != nil {
			panic(fmt.Sprintf("router: %s handles %s, which another feature does already", feature, space))
		}
		h.requests.handlers[to][space] = f
	}
}

// Features returns the features in the order of Use. The slice must not be modified.
func (h *Host) Features() []Feature { return h.features }

// StreamFeatures returns what all features advertise to clients that have logged in.
func (h *Host) StreamFeatures(ctx context.Context) []*stanza.Element {
	var all []*stanza.Element
	for i := range h.features {
		if f := h.features[i].StreamFeatures; f != nil {
			all = append(all, f(ctx)...)
		}
	}
	return all
}
