package main

import (
	"bytes"
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"
)

// chatCommand measures pairs that chat: each client has a window of messages in flight to its partner.
func chatCommand(o *options) *cobra.Command {
	cmd := &cobra.Command{Use: "chat", Short: "Pairs that send each other messages", Args: cobra.NoArgs}
	users := cmd.Flags().Int("users", 100, "how many users")
	duration := cmd.Flags().Duration("for", 5*time.Second, "for how long")
	window := cmd.Flags().Int("window", 20, "messages in flight in each direction")
	size := cmd.Flags().Int("size", 64, "bytes of a body")
	bare := cmd.Flags().Bool("bare", false, "send to bare JIDs")
	manage := cmd.Flags().Bool("manage", false, "with stream management (XEP-0198): one request and one acknowledgement for ten messages")
	archive := cmd.Flags().String("archive", "", "what the accounts want archived (XEP-0441): always or never; empty leaves the preferences unchanged")
	peer := cmd.Flags().String("peer", "", "another server, written as a target: each pair has one user on each, and the cost is that of the target alone")
	wait := cmd.Flags().Duration("wait", 0, "how long to wait before each round, for what the server does after an earlier load")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		return run(cmd.Context(), cmd.OutOrStdout(), o, func(ctx context.Context, t target) (figures, error) {
			if err := pause(ctx, *wait); err != nil {
				return nil, err
			}
			others, err := online(ctx, t, o)
			if err != nil {
				return nil, err
			}
			defer closeAll(others)
			return chat(ctx, t, o, chatLoad{*users &^ 1, *duration, *window, *size, *bare, *manage, *archive, *peer})
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
	manage bool

	archive string
	peer    string
}

// sessions logs the users in; two that follow each other are a pair.
func (l chatLoad) sessions(ctx context.Context, t target, o *options) ([]*client, error) {
	if l.peer == "" {
		return sessions(ctx, t, o, l.users, same)
	}
	other, err := parseTarget(l.peer)
	if err != nil {
		return nil, err
	}
	here, err := sessions(ctx, t, o, l.users/2, same)
	if err != nil {
		return nil, err
	}
	there, err := sessions(ctx, other, o, l.users/2, same)
	if err != nil {
		closeAll(here)
		return nil, err
	}
	var all []*client
	for i := range here {
		all = append(all, here[i], there[i])
	}
	return all, nil
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

// bodyMark begins the body of each message that is measured.
const bodyMark = "<body>bench "

func chat(ctx context.Context, t target, o *options, l chatLoad) (figures, error) {
	clients, err := l.sessions(ctx, t, o)
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
		head := "<message to='" + to + "' type='chat' id='b'>" + bodyMark
		tail := strings.Repeat("x", max(0, l.size-26)) + "</body></message>"
		wg.Go(func() {
			x := exchange{c, head, tail, "", begin, deadline, &total, &latencies[i], l.manage}
			errs[i] = x.sendWindow(l.window)
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
	if l.manage {
		answers := 0
		for _, c := range clients {
			answers += c.answers
		}
		f = append(f, figure{"answered requests", "%", 100 * float64(answers) / float64(total.Load()/10)})
	}
	return append(append(f, perUnit(before, after, total.Load())...), quantiles(all)...), nil
}

// prepare sets the archive preferences and sends presence.
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
	if err := c.becomeAvailable(); err != nil || !l.manage {
		return err
	}
	_, err := c.enable()
	return err
}

// busy is the number of accounts that the measurement uses; background sessions use the others.
const busy = 100

// online logs in the background sessions (--beside).
func online(ctx context.Context, t target, o *options) ([]*client, error) {
	clients, err := sessions(ctx, t, o, o.background, func(i int) int { return busy + i%max(1, o.accounts-busy) })
	if err != nil {
		return nil, err
	}
	for _, c := range clients {
		if err := c.becomeAvailable(); err != nil {
			closeAll(clients)
			return nil, err
		}
		c.buf = nil
	}
	return clients, nil
}

// exchange sends the messages of one session, and records those that it receives.
type exchange struct {
	c               *client
	head, tail      string // of a message: the time when it was sent is between them
	own             string // which messages are answered by another one; "": all
	begin, deadline time.Time
	total           *atomic.Int64
	latencies       *[]time.Duration
	manage          bool
}

func (x *exchange) message() string {
	return x.head + strconv.FormatInt(int64(time.Since(x.begin)), 10) + " " + x.tail
}

// record counts a message and records its latency; rest is what follows bodyMark.
func (x *exchange) record(rest []byte) {
	sent, err := strconv.ParseInt(string(rest[:max(0, strings.IndexByte(string(rest[:min(24, len(rest))]), ' '))]), 10, 64)
	if err == nil {
		*x.latencies = append(*x.latencies, time.Since(x.begin)-time.Duration(sent))
	}
	x.total.Add(1)
}

// listen records the messages of others.
func (x *exchange) listen() error {
	return x.c.count(x.deadline, bodyMark, func(rest []byte) bool { x.record(rest); return false })
}

// sendWindow sends a window of messages, then one for each that arrives.
func (x *exchange) sendWindow(window int) error {
	first := strings.Builder{}
	for range window {
		first.WriteString(x.message())
	}
	if err := x.c.write(first.String()); err != nil {
		return err
	}
	var failed error
	err := x.c.count(x.deadline, bodyMark, func(rest []byte) bool {
		x.record(rest)
		if !bytes.Contains(rest, []byte(x.own)) {
			return false
		}
		text := x.message()
		if n := len(*x.latencies); x.manage && n%10 == 0 {
			text += "<a xmlns='urn:xmpp:sm:3' h='" + strconv.Itoa(n) + "'/><r xmlns='urn:xmpp:sm:3'/>"
		}
		failed = x.c.write(text)
		return failed != nil
	})
	if failed != nil {
		return failed
	}
	return err
}
