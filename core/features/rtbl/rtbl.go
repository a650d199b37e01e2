package rtbl

import (
	"context"
	"crypto/sha256"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/router"
)

// DefaultNode is the node of a list whose name is not given; that of addresses at xmppbl.org.
const DefaultNode = "muc_bans_sha256"

// Hash is that of an address or a domain.
type Hash = [sha256.Size]byte

// Name is where a list is published.
type Name struct {
	Service jid.JID
	Node    string
}

// String returns what the list is called in the database.
func (n Name) String() string { return n.Service.String() + " " + n.Node }

// ParseName reads the URI of a node, such as xmpp:xmppbl.org?;node=muc_bans_sha256 (XEP-0060 §12.21), or the address of a service.
func ParseName(text string) (Name, error) {
	text, _ = strings.CutPrefix(text, "xmpp:")
	address, query, _ := strings.Cut(text, "?")
	service, err := jid.Parse(address)
	if err != nil || service.IsFull() {
		return Name{}, fmt.Errorf("%q is not the address of a service", address)
	}
	n := Name{service, DefaultNode}
	for part := range strings.SplitSeq(query, ";") {
		if node, ok := strings.CutPrefix(part, "node="); ok {
			if n.Node, err = url.PathUnescape(node); err != nil || n.Node == "" {
				return Name{}, fmt.Errorf("%q is not the name of a node", node)
			}
		}
	}
	return n, nil
}

// Store keeps the entries of lists.
type Store interface {
	Entries(ctx context.Context, list string) ([]Hash, error)
	ChangeEntries(ctx context.Context, list string, add, remove []Hash) error
	// KeepLists deletes all other lists.
	KeepLists(ctx context.Context, lists []string) error
}

// Set is the list in force.
type Set interface {
	Add(entries ...Hash) // those that it has already are not added
	Remove(entries ...Hash)
	// Compare returns what must be added and removed so that the set has exactly the wanted entries.
	Compare(wanted map[Hash]struct{}) (add, remove []Hash)
	All() []Hash
	Len() int
}

// Options are the parameters of New.
type Options struct {
	Lists []Name
	Set   func() Set // makes the set of one list
	Max   int        // entries of one list
	Store Store
	Times Times
	Log   *slog.Logger // nil: slog.Default
	// Operator reports whether an address may see the state of the lists.
	Operator func(who jid.JID) bool
}

// Times are how long the lists wait. Zero fields have a default.
type Times struct {
	Refresh           time.Duration // between two readings of a list
	FirstTry, LastTry time.Duration // after an error; it doubles from one to the other
}

// Lists are the lists of one host.
type Lists struct {
	Options
	host  *router.Host
	lists []*list

	full atomic.Uint64 // how often a list had too many entries
}

// New returns the feature. Call Load and then Run.
func New(h *router.Host, o Options) *Lists {
	if o.Log == nil {
		o.Log = slog.Default()
	}
	orDefault(&o.Times.Refresh, 6*time.Hour)
	orDefault(&o.Times.FirstTry, time.Second)
	orDefault(&o.Times.LastTry, 30*time.Minute)
	l := &Lists{Options: o, host: h}
	for _, name := range o.Lists {
		l.lists = append(l.lists, &list{Lists: l, name: name, set: o.Set(), wake: make(chan struct{}, 1)})
	}
	return l
}

func orDefault(d *time.Duration, v time.Duration) {
	if *d == 0 {
		*d = v
	}
}

// Load puts the stored lists into force.
func (l *Lists) Load(ctx context.Context) error {
	names := make([]string, 0, len(l.lists))
	for _, o := range l.lists {
		names = append(names, o.name.String())
		entries, err := l.Store.Entries(ctx, o.name.String())
		if err != nil {
			return err
		}
		o.set.Add(entries...)
	}
	return l.Store.KeepLists(ctx, names)
}

// Run keeps the lists up to date until ctx ends.
func (l *Lists) Run(ctx context.Context) error {
	var running sync.WaitGroup
	for _, o := range l.lists {
		running.Go(func() { o.run(ctx) })
	}
	running.Wait()
	return nil
}

// Attached reads the lists of a service again that has come back.
func (l *Lists) Attached(domain jid.JID) {
	for _, o := range l.lists {
		if o.name.Service.Host() == domain {
			o.again()
		}
	}
}

// Feature declares the feature.
func (l *Lists) Feature() router.Feature {
	f := router.Feature{
		Name:        "rtbl",
		HostMessage: l.received,
		Counters:    []router.Counter{{Setting: "limits.block_list_entries", Value: &l.full}},
	}
	if len(l.lists) > 0 {
		f.HostDisco.Commands = append(f.HostDisco.Commands, l.command())
	}
	return f
}
