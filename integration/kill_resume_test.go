package integration_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/integration/peers"
)

// TestKillResumption kills the server at random moments while two accounts write to each other, stops it as an operator does, and cuts
// connections. Both clients resume their sessions each time. Nothing may be lost, and nothing is shown twice by a client that knows the
// ids of messages.
func TestKillResumption(t *testing.T) {
	t.Parallel()
	rounds := killRounds(t)
	ctx, cancel := context.WithTimeout(t.Context(), 2*peerTimeout+time.Duration(rounds)*8*time.Second)
	defer cancel()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d, %d rounds", seed, rounds)
	random := rand.New(rand.NewPCG(seed, 0))
	d := peers.StartDragoman(t, peers.Options{Setup: foreignSetup})
	both := []*managedClient{newManagedClient(t, &d.Server, testAccounts[0]), newManagedClient(t, &d.Server, testAccounts[1])}
	var written [2][]string
	for _, c := range both {
		c.connect(ctx)
		if err := c.await(ctx, func() bool { return c.id != "" && c.acked > 0 }); err != nil { // it is stored then
			t.Fatal(err)
		}
	}
	write := func(round int) {
		for i, c := range both {
			var texts []string
			for k := range random.IntN(5) {
				texts = append(texts, fmt.Sprintf("%s %d.%d", c.account.User, round, k))
			}
			c.write(both[1-i].account.User+"@"+testHost, texts...)
			written[i] = append(written[i], texts...)
		}
	}
	for round := range rounds {
		write(round)
		pause(ctx, time.Duration(random.Int64N(int64(killWindow))))
		switch random.IntN(4) {
		case 0:
			both[random.IntN(2)].drop()
			write(round + rounds) // to a session without a connection
		case 1:
			d.Stop()
			d.Start()
		default:
			d.Kill()
			d.Start()
		}
		for _, c := range both {
			if c.lost > 0 {
				t.Fatalf("%s could not resume its session in round %d", c.account.User, round)
			}
			select {
			case <-c.conn.Done():
				c.connect(ctx)
			default: // it was not cut
			}
		}
	}
	for i, c := range both {
		other := both[1-i]
		if err := c.await(ctx, func() bool { return len(c.sent) == 0 || c.ask() }); err != nil {
			t.Errorf("%s: %d stanzas are not handled: %v", c.account.User, len(c.sent), err)
		}
		limit, stop := context.WithTimeout(ctx, peerTimeout)
		_ = other.await(limit, func() bool { return len(other.bodies) >= len(written[i]) })
		stop()
		other.mu.Lock()
		sameMessages(t, c.account.User, written[i], other.bodies)
		t.Logf("%s: %d messages, %d came again, %d sessions could not be resumed", other.account.User, len(other.bodies), other.again, other.lost)
		other.mu.Unlock()
	}
}

// ask asks the server again what it has handled; it returns false. The caller has the lock.
func (c *managedClient) ask() bool {
	_ = c.conn.Send("<r xmlns='urn:xmpp:sm:3'/>")
	return false
}

// sameMessages compares what was written with what was received, in any order between two connections.
func sameMessages(t *testing.T, who string, want, got []string) {
	t.Helper()
	count := map[string]int{}
	for _, text := range got {
		count[text]++
	}
	for _, text := range want {
		if count[text] != 1 {
			t.Errorf("%q of %s was received %d times", text, who, count[text])
		}
	}
	if len(got) != len(want) {
		t.Errorf("%d messages of %s were received, %d written", len(got), who, len(want))
	}
}
