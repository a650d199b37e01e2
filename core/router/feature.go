package router

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"sync/atomic"

	"github.com/dragoman-im/dragoman/core/disco"
	"github.com/dragoman-im/dragoman/core/spec"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// Feature is one extension of a served host, as it declares itself. Every part but the name may
// be left out.
type Feature struct {
	Name   string
	Stages []Stage
	// HostIQ and AccountIQ answer requests to the domain and to an account, by the namespace
	// of the payload.
	HostIQ, AccountIQ map[string]IQHandler
	HostMessage       MessageHandler  // sees messages to the domain
	Presence          PresenceHandler // at most one feature has one
	// HostDisco and AccountDisco are what service discovery says about the domain and about
	// every account.
	HostDisco, AccountDisco Disco
	// StreamFeatures are advertised to clients that have logged in.
	StreamFeatures func(ctx context.Context) []*stanza.Element
	BeforeLogin    *BeforeLogin
	Slots          []AccountSlot
	Flags          []*Flag
	Counters       []Counter
	Specs          []spec.Spec
}

// MessageHandler gets messages to the domain itself; nil means that it was not meant,
// other returns are those of a stage.
type MessageHandler func(ctx context.Context, p *Pass) error

// Disco is a feature's part of service discovery.
type Disco struct {
	disco.Info
	Source disco.Source // for nodes, items and what is not fixed; may be nil
}

// BeforeLogin is what a feature offers to clients that have not logged in.
type BeforeLogin struct {
	StreamFeatures []*stanza.Element
	// Answer answers an IQ; nil for what is not to be answered. It may wait for the store.
	Answer func(ctx context.Context, from netip.Addr, iq *stanza.Stanza) *stanza.Stanza
}

// Counter counts how often a limit was reached.
type Counter struct {
	Setting string // the limit's, such as limits.vcard_bytes
	Value   *atomic.Uint64
}

// Use gives the host features, in this order. It is to be called before the host is attached,
// and panics where two features handle the same namespace for the same target, or declare
// the same flag, or presence.
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
			if len(h.flags) == 64 || slices.ContainsFunc(h.flags, func(o *Flag) bool { return o.Name == flag.Name }) {
				panic(fmt.Sprintf("router: %s declares session flag %q, which is taken or one too many", f.Name, flag.Name))
			}
			flag.mask = 1 << len(h.flags)
			h.flags = append(h.flags, flag)
		}
		for _, slot := range f.Slots {
			slot.setIndex(h.slots)
			h.slots++
		}
	}
	slices.SortStableFunc(h.stages, func(a, b Stage) int { return int(a.Position) - int(b.Position) })
}

// register registers one feature's handlers for one target.
func (h *Host) register(to target, feature string, handlers map[string]IQHandler) {
	for space, f := range handlers {
		if h.handlers[to][space] != nil {
			panic(fmt.Sprintf("router: %s handles %s, which another feature does already", feature, space))
		}
		h.handlers[to][space] = f
	}
}

// Features are those that the host has, in their order; read the slice only.
func (h *Host) Features() []Feature { return h.features }

// StreamFeatures are what the features advertise to clients that have logged in.
func (h *Host) StreamFeatures(ctx context.Context) []*stanza.Element {
	var all []*stanza.Element
	for i := range h.features {
		if f := h.features[i].StreamFeatures; f != nil {
			all = append(all, f(ctx)...)
		}
	}
	return all
}
