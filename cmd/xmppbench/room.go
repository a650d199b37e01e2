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

// roomCommand measures a room: one occupant writes, all get it.
func roomCommand(o *options) *cobra.Command {
	cmd := &cobra.Command{Use: "room", Short: "One room: messages times occupants", Args: cobra.NoArgs}
	room := cmd.Flags().String("room", "", "address of the room, such as bench@conference.localhost")
	users := cmd.Flags().Int("users", 200, "occupants")
	duration := cmd.Flags().Duration("for", 5*time.Second, "for how long")
	window := cmd.Flags().Int("window", 5, "messages on their way")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if *room == "" {
			return errors.New("--room is missing")
		}
		return run(cmd.Context(), cmd.OutOrStdout(), o, func(ctx context.Context, t target) (figures, error) {
			return fanOut(ctx, t, o, strings.ReplaceAll(*room, "DOMAIN", t.domain), *users, *window, *duration)
		})
	}
	return cmd
}

func fanOut(ctx context.Context, t target, o *options, room string, users, window int, length time.Duration) (figures, error) {
	clients, err := sessions(ctx, t, o, users, same)
	if err != nil {
		return nil, err
	}
	defer closeAll(clients)
	for i, c := range clients {
		join := fmt.Sprintf("<presence to='%s/n%d'><x xmlns='http://jabber.org/protocol/muc'><history maxstanzas='0'/></x></presence>", room, i)
		if _, err := c.ask(join, "code='110'", "code=\"110\"", "type='error'", "type=\"error\""); err != nil {
			return nil, fmt.Errorf("join %s: %w", room, err)
		}
	}
	begin := time.Now()
	deadline := begin.Add(length)
	before, err := measure(t.pid)
	if err != nil {
		return nil, err
	}
	var total atomic.Int64
	var latencies []time.Duration
	errs := make([]error, len(clients))
	var wg sync.WaitGroup
	for i, c := range clients[1:] {
		wg.Go(func() {
			errs[i+1] = c.count(deadline, mark, func([]byte) bool { total.Add(1); return false })
		})
	}
	wg.Go(func() {
		head := "<message to='" + room + "' type='groupchat' id='b'>" + mark
		errs[0] = converse(clients[0], head, strings.Repeat("x", 40)+"</body></message>", window, begin, deadline, &total, &latencies)
	})
	wg.Wait()
	elapsed := time.Since(begin)
	after, err := measure(t.pid)
	if err := errors.Join(append(errs, err)...); err != nil {
		return nil, err
	}
	if total.Load() == 0 {
		return nil, errors.New("no message arrived")
	}
	f := figures{{"deliveries", "/s", float64(total.Load()) / elapsed.Seconds()}}
	return append(append(f, perUnit(before, after, total.Load())...), quantiles(latencies)...), nil
}

// presenceCommand measures presence: sessions of one account each, that come and go for their contacts.
func presenceCommand(o *options) *cobra.Command {
	cmd := &cobra.Command{Use: "presence", Short: "Presence storm: each change goes to all contacts", Args: cobra.NoArgs}
	users := cmd.Flags().Int("users", 50, "users, each subscribed to all others")
	changes := cmd.Flags().Int("changes", 20, "changes of each")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		return run(cmd.Context(), cmd.OutOrStdout(), o, func(ctx context.Context, t target) (figures, error) {
			return storm(ctx, t, o, *users, *changes)
		})
	}
	return cmd
}

func storm(ctx context.Context, t target, o *options, users, changes int) (figures, error) {
	clients, err := sessions(ctx, t, o, users, same)
	if err != nil {
		return nil, err
	}
	defer closeAll(clients)
	if err := befriend(clients); err != nil {
		return nil, err
	}
	before, err := measure(t.pid)
	if err != nil {
		return nil, err
	}
	begin := time.Now()
	want := int64(users) * int64(users-1) * int64(changes)
	var total atomic.Int64
	errs := make([]error, users)
	var wg sync.WaitGroup
	for i, c := range clients {
		wg.Go(func() {
			var b strings.Builder
			for k := range changes {
				b.WriteString("<presence><status>s" + strconv.Itoa(k) + "</status></presence>")
			}
			if errs[i] = c.write(b.String()); errs[i] != nil {
				return
			}
			mine := (users - 1) * changes
			for mine > 0 {
				text, err := c.until("</status>")
				if err != nil {
					errs[i] = err
					return
				}
				if !strings.Contains(text, "from='"+c.jid) && !strings.Contains(text, "from=\""+c.jid) {
					mine--
					total.Add(1)
				}
			}
		})
	}
	wg.Wait()
	elapsed := time.Since(begin)
	after, err := measure(t.pid)
	if err := errors.Join(append(errs, err)...); err != nil {
		return nil, fmt.Errorf("%d of %d arrived: %w", total.Load(), want, err)
	}
	f := figures{{"presences", "/s", float64(want) / elapsed.Seconds()}}
	return append(f, perUnit(before, after, want)...), nil
}

// befriend makes everybody a contact of everybody, and available.
func befriend(clients []*client) error {
	bare := func(c *client) string { b, _, _ := strings.Cut(c.jid, "/"); return b }
	for _, c := range clients {
		var b strings.Builder
		for _, other := range clients {
			if other != c {
				b.WriteString("<presence type='subscribed' to='" + bare(other) + "'/><presence type='subscribe' to='" + bare(other) + "'/>")
			}
		}
		b.WriteString("<iq type='get' id='sync'><ping xmlns='urn:xmpp:ping'/></iq>")
		if _, err := c.ask(b.String(), "id='sync'", "id=\"sync\""); err != nil {
			return err
		}
	}
	for _, c := range clients {
		var b strings.Builder
		for _, other := range clients {
			if other != c {
				b.WriteString("<presence type='subscribed' to='" + bare(other) + "'/>")
			}
		}
		b.WriteString("<presence/><iq type='get' id='done'><ping xmlns='urn:xmpp:ping'/></iq>")
		if _, err := c.ask(b.String(), "id='done'", "id=\"done\""); err != nil {
			return err
		}
	}
	return nil
}
