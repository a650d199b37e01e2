package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"
)

// chatCommand measures pairs that chat: each client has a window of messages on their way to its partner.
func chatCommand(o *options) *cobra.Command {
	cmd := &cobra.Command{Use: "chat", Short: "Pairs that send each other messages", Args: cobra.NoArgs}
	users := cmd.Flags().Int("users", 100, "how many users")
	duration := cmd.Flags().Duration("for", 5*time.Second, "for how long")
	window := cmd.Flags().Int("window", 20, "messages on their way in each direction")
	size := cmd.Flags().Int("size", 64, "bytes of a body")
	bare := cmd.Flags().Bool("bare", false, "write to bare addresses")
	archive := cmd.Flags().String("archive", "", "what the accounts want archived (XEP-0441): always or never; empty leaves that as it is")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		return run(cmd.Context(), cmd.OutOrStdout(), o, func(ctx context.Context, t target) (figures, error) {
			others, err := online(ctx, t, o)
			if err != nil {
				return nil, err
			}
			defer closeAll(others)
			return chat(ctx, t, o, chatLoad{*users &^ 1, *duration, *window, *size, *bare, *archive})
		})
	}
	return cmd
}

type chatLoad struct {
	users  int
	length time.Duration
	window int
	size   int
	bare   bool

	archive string
}

// sessions logs n clients in, eight at a time.
func sessions(ctx context.Context, t target, o *options, n int, account func(int) int) ([]*client, error) {
	clients := make([]*client, n)
	errs := make(chan error, n)
	var next atomic.Int64
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= n || ctx.Err() != nil {
					return
				}
				c, err := dial(ctx, t, o, account(i))
				if err != nil {
					errs <- err
					return
				}
				clients[i] = c
			}
		})
	}
	wg.Wait()
	select {
	case err := <-errs:
		closeAll(clients)
		return nil, err
	default:
		return clients, ctx.Err()
	}
}

func closeAll(clients []*client) {
	for _, c := range clients {
		if c != nil {
			c.conn.Close()
		}
	}
}

func same(i int) int { return i }

// mark stands before a body of ours.
const mark = "<body>bench "

func chat(ctx context.Context, t target, o *options, l chatLoad) (figures, error) {
	clients, err := sessions(ctx, t, o, l.users, same)
	if err != nil {
		return nil, err
	}
	defer closeAll(clients)
	for _, c := range clients {
		if err := l.prepare(c); err != nil {
			return nil, err
		}
	}
	begin := time.Now()
	deadline := begin.Add(l.length)
	before, err := measure(t.pids)
	if err != nil {
		return nil, err
	}
	var total atomic.Int64
	latencies := make([][]time.Duration, len(clients))
	errs := make([]error, len(clients))
	var wg sync.WaitGroup
	for i, c := range clients {
		to := clients[i^1].jid
		if l.bare {
			to, _, _ = strings.Cut(to, "/")
		}
		head := "<message to='" + to + "' type='chat' id='b'>" + mark
		tail := strings.Repeat("x", max(0, l.size-26)) + "</body></message>"
		wg.Go(func() {
			talk := conversation{c, head, tail, begin, deadline, &total, &latencies[i]}
			errs[i] = talk.answering(l.window)
		})
	}
	wg.Wait()
	elapsed := time.Since(begin)
	after, err := measure(t.pids)
	if err != nil {
		return nil, err
	}
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	var all []time.Duration
	for _, some := range latencies {
		all = append(all, some...)
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("no message arrived")
	}
	f := figures{{"messages", "/s", float64(total.Load()) / elapsed.Seconds()}}
	return append(append(f, perUnit(before, after, total.Load())...), quantiles(all)...), nil
}

// prepare says what is to be archived, and becomes available.
func (l chatLoad) prepare(c *client) error {
	if l.archive != "" {
		answer, err := c.ask("<iq type='set' id='prefs'><prefs xmlns='urn:xmpp:mam:2' default='"+l.archive+"'><always/><never/></prefs></iq>", "</iq>", "id='prefs'/>")
		if err != nil {
			return err
		}
		if strings.Contains(answer, "<error") {
			return fmt.Errorf("archive %s: %s", l.archive, answer)
		}
	}
	return c.appear()
}

// busy are the first accounts, which sessions that are there beside the others leave alone.
const busy = 100

// online logs the sessions in that are there beside what is measured, of other accounts.
func online(ctx context.Context, t target, o *options) ([]*client, error) {
	clients, err := sessions(ctx, t, o, o.beside, func(i int) int { return busy + i%max(1, o.accounts-busy) })
	if err != nil {
		return nil, err
	}
	for _, c := range clients {
		if err := c.appear(); err != nil {
			closeAll(clients)
			return nil, err
		}
		c.buf = nil
	}
	return clients, nil
}

// conversation is what one session says, and what it hears.
type conversation struct {
	c               *client
	head, tail      string // of a message: the time when it was sent comes between
	begin, deadline time.Time
	total           *atomic.Int64
	latencies       *[]time.Duration
}

func (t *conversation) message() string {
	return t.head + strconv.FormatInt(int64(time.Since(t.begin)), 10) + " " + t.tail
}

// record records how long a message took, of which the rest is given.
func (t *conversation) record(rest []byte) {
	sent, err := strconv.ParseInt(string(rest[:max(0, strings.IndexByte(string(rest[:min(24, len(rest))]), ' '))]), 10, 64)
	if err == nil {
		*t.latencies = append(*t.latencies, time.Since(t.begin)-time.Duration(sent))
	}
	t.total.Add(1)
}

// answering sends a window of messages, then one for each that arrives.
func (t *conversation) answering(window int) error {
	first := strings.Builder{}
	for range window {
		first.WriteString(t.message())
	}
	if err := t.c.write(first.String()); err != nil {
		return err
	}
	var failed error
	err := t.c.count(t.deadline, mark, func(rest []byte) bool {
		t.record(rest)
		failed = t.c.write(t.message())
		return failed != nil
	})
	if failed != nil {
		return failed
	}
	return err
}
