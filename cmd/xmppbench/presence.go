package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"
)

// presenceCommand measures presence: one session of each account, whose changes go to all its contacts.
func presenceCommand(o *options) *cobra.Command {
	cmd := &cobra.Command{Use: "presence", Short: "Presence fan-out: each change goes to all contacts", Args: cobra.NoArgs}
	users := cmd.Flags().Int("users", 50, "users, each subscribed to all others")
	changes := cmd.Flags().Int("changes", 20, "presence changes of each user")
	star := cmd.Flags().Bool("star", false, "all others are contacts of the first user only, and only the first user's presence changes")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		return run(cmd.Context(), cmd.OutOrStdout(), o, func(ctx context.Context, t target) (figures, error) {
			return presenceFanOut(ctx, t, o, presenceLoad{*users, *changes, *star})
		})
	}
	return cmd
}

type presenceLoad struct {
	users, changes int
	star           bool
}

// senders is the number of clients whose presence changes.
func (l presenceLoad) senders() int {
	if l.star {
		return 1
	}
	return l.users
}

// contacts are the contacts of client i.
func (l presenceLoad) contacts(clients []*client, i int) []*client {
	var list []*client
	for k, c := range clients {
		if k != i && (!l.star || i == 0 || k == 0) {
			list = append(list, c)
		}
	}
	return list
}

// expected is the number of changes of others that client i receives.
func (l presenceLoad) expected(i int) int {
	if l.star && i == 0 {
		return 0
	}
	return l.changes * min(l.users-1, l.senders())
}

func presenceFanOut(ctx context.Context, t target, o *options, l presenceLoad) (figures, error) {
	clients, err := sessions(ctx, t, o, l.users, same)
	if err != nil {
		return nil, err
	}
	defer closeAll(clients)
	if err := l.subscribeAll(clients); err != nil {
		return nil, err
	}
	before, err := measure(t.pids)
	if err != nil {
		return nil, err
	}
	begin := time.Now()
	var want int64
	var total atomic.Int64
	errs := make([]error, l.users)
	var wg sync.WaitGroup
	for i, c := range clients {
		want += int64(l.expected(i))
		wg.Go(func() { errs[i] = l.sendChanges(c, i, &total) })
	}
	wg.Wait()
	elapsed := time.Since(begin)
	after, err := measure(t.pids)
	if err := errors.Join(append(errs, err)...); err != nil {
		return nil, fmt.Errorf("%d of %d arrived: %w", total.Load(), want, err)
	}
	f := figures{{"presences", "/s", float64(want) / elapsed.Seconds()}}
	return append(f, perUnit(before, after, want)...), nil
}

// sendChanges sends the changes of client i and reads those of the others.
func (l presenceLoad) sendChanges(c *client, i int, total *atomic.Int64) error {
	if i < l.senders() {
		var b strings.Builder
		for k := range l.changes {
			b.WriteString("<presence><status>s" + strconv.Itoa(k) + "</status></presence>")
		}
		if err := c.write(b.String()); err != nil {
			return err
		}
	}
	for left := l.expected(i); left > 0; {
		text, err := c.until("</status>")
		if err != nil {
			return err
		}
		if !strings.Contains(text, "from='"+c.jid) && !strings.Contains(text, "from=\""+c.jid) {
			left--
			total.Add(1)
		}
	}
	return nil
}

// subscribeAll subscribes all clients to their contacts, in both directions, and makes them available.
func (l presenceLoad) subscribeAll(clients []*client) error {
	for i, c := range clients {
		if err := sendPresence(c, l.contacts(clients, i), "subscribed", "subscribe"); err != nil {
			return err
		}
	}
	for i, c := range clients {
		if err := sendPresence(c, l.contacts(clients, i), "subscribed"); err != nil {
			return err
		}
	}
	for _, c := range clients {
		if err := c.becomeAvailable(); err != nil {
			return err
		}
	}
	return nil
}

// sendPresence sends presence of some types to all contacts, some at a time, and waits until the server has processed them.
func sendPresence(c *client, contacts []*client, types ...string) error {
	const together = 50
	for len(contacts) > 0 {
		n := min(together, len(contacts))
		var b strings.Builder
		for _, other := range contacts[:n] {
			to, _, _ := strings.Cut(other.jid, "/")
			for _, t := range types {
				b.WriteString("<presence type='" + t + "' to='" + to + "'/>")
			}
		}
		b.WriteString("<iq type='get' id='presence-sent'><ping xmlns='urn:xmpp:ping'/></iq>")
		if _, err := c.ask(b.String(), "id='presence-sent'", "id=\"presence-sent\""); err != nil {
			return err
		}
		contacts = contacts[n:]
	}
	return nil
}
