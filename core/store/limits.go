package store

import (
	"sync/atomic"
	"time"

	"github.com/dragoman-im/dragoman/core/router"
)

// Limits bound what one account may make the store keep. Zero fields take the defaults.
type Limits struct {
	OfflineMessages int   // offline messages of one account; 200
	OfflineBytes    int64 // their size together; 2 MiB
	PendingIn       int   // unanswered subscription requests to one account; 500
	RosterItems     int   // contacts of one account; 2000
	RosterBytes     int64 // their addresses, names and groups together; 1 MiB
	Blocked         int   // addresses that one account has blocked; 1000
	Reports         int   // reports of one account in a day (XEP-0377); 20
	PrivateItems    int   // private XML items (XEP-0049) of one account; 100
	PrivateBytes    int64 // their size together; 1 MiB

	DeletedNames time.Duration // how long the name of a deleted account cannot be registered; 0: at once
}

// Counters count what was refused because of Limits. They may be read at any time.
type Counters struct {
	RosterItems atomic.Uint64
	RosterBytes atomic.Uint64
	PendingIn   atomic.Uint64
	Blocked     atomic.Uint64
}

// Limits are the counters, under the names of the limits' settings.
func (k *Counters) Limits() []router.Counter {
	return []router.Counter{
		{Setting: "limits.roster_items", Value: &k.RosterItems},
		{Setting: "limits.roster_bytes", Value: &k.RosterBytes},
		{Setting: "limits.roster_requests", Value: &k.PendingIn},
		{Setting: "limits.blocked", Value: &k.Blocked},
	}
}

// Limits returns the limits that are in force.
func (s *Store) Limits() Limits { return *s.limits.Load() }

// SetLimits replaces the limits. What is kept already stays.
func (s *Store) SetLimits(l Limits) {
	l = l.orDefaults()
	s.limits.Store(&l)
}

func (l Limits) orDefaults() Limits {
	def := func(v *int, d int) {
		if *v <= 0 {
			*v = d
		}
	}
	def64 := func(v *int64, d int64) {
		if *v <= 0 {
			*v = d
		}
	}
	def(&l.OfflineMessages, 200)
	def64(&l.OfflineBytes, 2<<20)
	def(&l.PendingIn, 500)
	def(&l.RosterItems, 2000)
	def64(&l.RosterBytes, 1<<20)
	def(&l.Blocked, 1000)
	def(&l.Reports, 20)
	def(&l.PrivateItems, 100)
	def64(&l.PrivateBytes, 1<<20)
	return l
}
