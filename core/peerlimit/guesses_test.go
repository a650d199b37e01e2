package peerlimit

import (
	"fmt"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"
)

// newTestGuesses returns a Guesses in which nothing shares an entry by chance.
func newTestGuesses(l GuessLimits) *Guesses {
	g := NewGuesses(l)
	places := map[string]uint64{}
	g.index = func(of netip.Prefix, name string) uint64 {
		key := of.String() + name
		if _, ok := places[key]; !ok {
			places[key] = uint64(len(places))
		}
		return places[key]
	}
	return g
}

// wrong makes a wrong guess and reports whether it was checked without a wait.
func (g *Guesses) wrong(from, name string) bool {
	guess, wait := g.Reserve(addr(from), name)
	if wait > 0 && guess != nil {
		guess.Cancel()
	}
	return wait == 0
}

// A distributed attack on one account gets as many guesses as the limit of the account allows, however many addresses it has and
// whether or not the guesses come at once. Others are not affected, nor is the owner at an address where they have been.
func TestGuessesFromManyAddresses(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := newTestGuesses(GuessLimits{Network: 20, Name: 20})
		guess, _ := g.Reserve(addr("192.0.2.7"), "ann")
		guess.Right()
		checked := 0
		attack := func() {
			for i := range 60 {
				for range 3 {
					if g.wrong(fmt.Sprintf("10.0.0.%d", i), "ann") {
						checked++
					}
				}
			}
		}
		attack()
		if checked != 20 {
			t.Errorf("%d of 180 were checked at once", checked)
		}
		for range 60 {
			time.Sleep(time.Second)
			attack()
		}
		if checked != 40 {
			t.Errorf("%d were checked in a minute", checked)
		}
		if guess, wait := g.Reserve(addr("192.0.2.7"), "ann"); guess == nil || wait != 0 {
			t.Errorf("the owner waits %v", wait)
		}
		if guess, wait := g.Reserve(addr("10.0.0.1"), "bob"); guess == nil || wait != 0 {
			t.Errorf("another account waits %v", wait)
		}
		if _, wait := g.Reserve(addr("192.0.2.8"), "ann"); wait == 0 {
			t.Error("a new address is not delayed during the attack")
		}
		time.Sleep(2 * time.Minute)
		if guess, wait := g.Reserve(addr("192.0.2.8"), "ann"); guess == nil || wait != 0 {
			t.Errorf("after the attack a new address waits %v", wait)
		}
	})
}

// Whoever guesses passwords of some accounts from an address delays nobody else there, also not after a typing error.
func TestOthersBehindTheAddressDoNotWait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := newTestGuesses(GuessLimits{Network: 20, Name: 20})
		checked := 0
		for range 600 {
			for name := range 6 {
				if g.wrong("192.0.2.1", fmt.Sprint("victim", name)) {
					checked++
				}
			}
			time.Sleep(100 * time.Millisecond)
		}
		if checked < 30 || checked > 20+6*freeTries+20 {
			t.Errorf("%d were checked in a minute", checked)
		}
		for try := range freeTries {
			if !g.wrong("192.0.2.1", "other") {
				t.Errorf("try %d of somebody else has to wait", try+1)
			}
		}
		guess, wait := g.Reserve(addr("192.0.2.1"), "other")
		if guess == nil || wait > 3*time.Second {
			t.Errorf("waits %v after %d errors", wait, freeTries)
		}
	})
}

// One password for many accounts: from one address, or from one IPv6 network, only so many names are tried in a minute.
func TestManyNamesFromOneNetwork(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := newTestGuesses(GuessLimits{Network: 20, Name: 20})
		guess, _ := g.Reserve(addr("192.0.2.1"), "resident")
		guess.Right()
		checked := 0
		for i := range 1000 {
			if g.wrong("192.0.2.1", fmt.Sprint("v4-", i)) {
				checked++
			}
		}
		if checked != 20 {
			t.Errorf("%d names from one address", checked)
		}
		if guess, wait := g.Reserve(addr("192.0.2.1"), "resident"); guess == nil || wait != 0 {
			t.Errorf("who has logged in from there before waits %v", wait)
		}
		checked = 0
		for i := range 2000 {
			from := netip.AddrFrom16([16]byte{0x20, 1, 0xd, 0xb8, 0, 1, byte(i >> 8), byte(i), 15: byte(i)})
			if g.wrong(from.String(), fmt.Sprint("v6-", i)) {
				checked++
			}
		}
		if checked != 20*wideFactor {
			t.Errorf("%d names from one /48", checked)
		}
	})
}

// Guesses that are checked at the same time cannot exceed the limit, and right passwords and cancelled ones do not use it up.
func TestGuessesAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := newTestGuesses(GuessLimits{Network: 20, Name: 20})
		for range 1000 {
			guess, wait := g.Reserve(addr("192.0.2.1"), "ann")
			if guess == nil || wait > 0 {
				t.Fatalf("a right password waits %v", wait)
			}
			guess.Right()
		}
		for range 1000 {
			guess, wait := g.Reserve(addr("192.0.2.2"), "ann")
			if guess == nil || wait > 0 {
				t.Fatalf("after cancelled guesses: %v", wait)
			}
			guess.Cancel()
		}
		free, waiting, refused := 0, 0, 0
		for range 1000 {
			guess, wait := g.Reserve(addr("192.0.2.3"), "ann") // none of them is answered yet
			switch {
			case guess == nil:
				refused++
			case wait == 0:
				free++
			case wait > longestWait:
				t.Fatalf("waits %v", wait)
			default:
				waiting++
			}
		}
		if free != 5 || waiting != 2 || refused != 993 { // five a minute: one each 12 s
			t.Errorf("%d checked, %d wait, %d refused", free, waiting, refused)
		}
	})
}

func TestGuessesWithoutLimits(t *testing.T) {
	t.Parallel()
	g := NewGuesses(GuessLimits{})
	for range 100 {
		if !g.wrong("192.0.2.1", "ann") {
			t.Fatal("limited")
		}
	}
	g.SetLimits(GuessLimits{Network: 1, Name: -1})
	g.wrong("192.0.2.1", "ann")
	if g.wrong("192.0.2.1", "ann") {
		t.Error("not limited")
	}
}

// The networks that are remembered of a name, and the names, are limited.
func TestKnownIsBounded(t *testing.T) {
	t.Parallel()
	g := NewGuesses(GuessLimits{Network: 1000, Name: 1000})
	right := func(from netip.Addr, name string) {
		guess, _ := g.Reserve(from, name)
		guess.Right()
	}
	for i := range maxKnown + 10 {
		right(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}), fmt.Sprint("name", i))
	}
	if len(g.known) != maxKnown {
		t.Errorf("%d names", len(g.known))
	}
	for i := range 2 * knownOf {
		right(netip.AddrFrom4([4]byte{192, 0, 2, byte(i)}), "ann")
	}
	of := func(i int) netip.Prefix { return networks(netip.AddrFrom4([4]byte{192, 0, 2, byte(i)}))[0] }
	if g.isKnown(of(0), "ann") || !g.isKnown(of(2*knownOf-1), "ann") || !g.isKnown(of(knownOf), "ann") {
		t.Error("not the latest networks")
	}
}

// The limits of registration: several accounts of one network, then a wait; names that were taken have a limit of their own.
func TestQuota(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := NewQuota(QuotaLimits{Accounts: 3, Names: 2, Time: time.Hour})
		q.index = newTestGuesses(GuessLimits{}).index
		a, neighbour, b := addr("2001:db8::1"), addr("2001:db8::2"), addr("192.0.2.1")
		if !q.TakeAccount(a) || !q.TakeAccount(neighbour) || !q.TakeAccount(a) || q.TakeAccount(a) || !q.TakeAccount(b) {
			t.Error("not three accounts of one network")
		}
		q.ReturnAccount(a)
		if !q.TakeAccount(a) || q.TakeAccount(a) {
			t.Error("an account that was not registered counts")
		}
		if got := [4]bool{q.NameTaken(a), q.NameTaken(a), q.NameTaken(a), q.NameTaken(b)}; got != [4]bool{true, true, false, true} {
			t.Errorf("not two names: %v", got)
		}
		time.Sleep(19 * time.Minute)
		if q.TakeAccount(a) {
			t.Error("too early")
		}
		time.Sleep(2 * time.Minute)
		if !q.TakeAccount(a) || q.TakeAccount(a) {
			t.Error("not one in twenty minutes")
		}
		q.SetLimits(QuotaLimits{})
		for range 100 {
			if !q.TakeAccount(a) || !q.NameTaken(a) {
				t.Fatal("limited")
			}
		}
	})
}
