package component

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/outbound"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/core/stream"
)

// Defaults of Options.
const (
	defaultRetryMin = time.Second
	defaultRetryMax = 2 * time.Minute
	defaultWaiting  = 20_000
	defaultWaitSize = 32 << 20
	dialTime        = 15 * time.Second
	steady          = time.Minute // a connection that lasted this long resets the back-off
)

// Options configures a Link. Addr, Domain and Secret are required; fields that
// are zero have the defaults of this package.
type Options struct {
	Addr   string // host:port of the foreign server's component listener
	Domain jid.JID
	Secret string

	RetryMin time.Duration // first wait before connecting again; 1 s
	RetryMax time.Duration // longest such wait; 2 min
	Idle     time.Duration // silence before a ping, and again before connecting anew; 5 min
	Waiting  int           // limit of stanzas that wait for a connection; 20,000
	WaitSize int           // their bytes; 32 MiB
	MaxBytes int           // of a stanza from the server; 512 KiB

	// State, which may be nil, is called by Run's goroutine with nil when the link is up,
	// and with the reason whenever a connection ended or could not be made: the server's
	// stream error is a stream.PeerError in it.
	State func(err error)
	Log   *slog.Logger
}

// Link attaches one domain to a foreign server. Handle must be called before Run; all
// other methods may be called by any goroutine at any time.
type Link struct {
	opts   Options
	log    *slog.Logger
	handle atomic.Pointer[func(*stanza.Stanza)]

	mu       sync.Mutex
	up       *stream.Conn // the attached connection, whose queue retains unwritten stanzas; nil if there is none
	waiting  []outbound.Retained
	size     int           // of waiting
	refused  []stanzaError // for the handler
	wake     chan struct{} // wakes feed, or Run while it waits
	draining bool          // feed is emptying waiting: Send must append to waiting to keep the order
	echo     echo          // of up
	echoes   bool          // the server has sent pings back, on this connection or an earlier one

	stream   stream.Config
	counters stream.Counters
}

// ErrRefused is wrapped by the error that State gets if the server does not accept our domain or
// secret: the settings have to be changed.
var ErrRefused = errors.New("server refused the component")

// ErrNotComponents is wrapped beside ErrRefused if the listener at the address is not one for components.
var ErrNotComponents = errors.New("no server for components")

// Dial returns a link. Run connects it.
func Dial(o Options) (*Link, error) {
	if !o.Domain.IsHost() {
		return nil, fmt.Errorf("component link: %q is no domain", o.Domain)
	}
	if _, _, err := net.SplitHostPort(o.Addr); err != nil {
		return nil, fmt.Errorf("component link: address: %w", err)
	}
	if o.Secret == "" {
		return nil, fmt.Errorf("component link of %s: no secret", o.Domain)
	}
	o.RetryMin = cmp.Or(o.RetryMin, defaultRetryMin)
	o.RetryMax = max(cmp.Or(o.RetryMax, defaultRetryMax), o.RetryMin)
	o.Idle = cmp.Or(o.Idle, defaultIdle)
	o.Waiting = cmp.Or(o.Waiting, defaultWaiting)
	o.WaitSize = cmp.Or(o.WaitSize, defaultWaitSize)
	o.MaxBytes = cmp.Or(o.MaxBytes, defaultBytes)
	if o.State == nil {
		o.State = func(error) {}
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	l := &Link{opts: o, log: o.Log.With("component", o.Domain.String()), wake: make(chan struct{}, 1)}
	l.stream = stream.Config{
		Content: stanza.NSComponent,
		Queue: outbound.Limits{
			Bytes:  highWater + 2*o.MaxBytes,
			Retain: outbound.RetainLimits{Stanzas: maxRetained, Bytes: maxRetainedPayload + 2*o.MaxBytes},
		},
		Idle: o.Idle, Counters: &l.counters, Log: l.log,
	}
	return l, nil
}

// Domain returns the domain that the link attaches.
func (l *Link) Domain() jid.JID { return l.opts.Domain }

// Handle sets the function that gets the stanzas for the domain. It is called by one
// goroutine, in the order of arrival, and must not block long.
func (l *Link) Handle(f func(*stanza.Stanza)) { l.handle.Store(&f) }

// Run keeps the link up until ctx ends.
func (l *Link) Run(ctx context.Context) error {
	wait := l.opts.RetryMin
	for {
		began := time.Now()
		err := l.connect(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if time.Since(began) > steady {
			wait = l.opts.RetryMin
		}
		if p, ok := errors.AsType[stream.PeerError](err); ok && p.Cause.Condition == stream.Conflict {
			wait = l.opts.RetryMax // another process has attached this domain: do not replace it at once
		}
		l.opts.State(err)
		if ctx.Err() != nil {
			return nil // State has cancelled ctx
		}
		l.report(err, wait)
		if !l.pause(ctx, wait/2+rand.N(wait/2+1)) {
			return nil
		}
		wait = min(2*wait, l.opts.RetryMax)
	}
}

func (l *Link) report(err error, wait time.Duration) {
	if errors.Is(err, ErrRefused) {
		l.log.Error("component link refused; trying again", "addr", l.opts.Addr, "err", err, "retry", wait)
	} else {
		l.log.Warn("component link is down; trying again", "addr", l.opts.Addr, "err", err, "retry", wait)
	}
}

// pause waits for d. Meanwhile it passes the errors of refused stanzas to the handler.
func (l *Link) pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	for {
		l.returnRefused()
		select {
		case <-timer.C:
			return true
		case <-ctx.Done():
			return false
		case <-l.wake:
		}
	}
}
