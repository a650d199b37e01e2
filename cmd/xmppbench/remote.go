package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"
)

// remoteCommand measures messages between accounts of the target and other domains, whose server it is itself.
func remoteCommand(o *options) *cobra.Command {
	l := remoteLoad{options: o}
	cmd := &cobra.Command{Use: "remote", Short: "Messages from other domains, or to them, over TLS and dialback, without an archive", Args: cobra.NoArgs, Long: "The target must find " +
		"the domains d0.remote.example, d1.remote.example and so on at the address of --listen, and accept a certificate that nobody has signed."}
	cmd.Flags().IntVar(&l.users, "users", 100, "accounts of the target that receive, or with --out send")
	cmd.Flags().IntVar(&l.domains, "domains", 10, "other domains, with one connection each")
	cmd.Flags().DurationVar(&l.length, "for", 5*time.Second, "for how long")
	cmd.Flags().IntVar(&l.window, "window", 20, "messages in flight for each account")
	cmd.Flags().IntVar(&l.size, "size", 64, "bytes of a body")
	cmd.Flags().BoolVar(&l.out, "out", false, "the accounts of the target send")
	cmd.Flags().StringVar(&l.listen, "listen", "127.0.0.1:5269", "where the server of the other domains listens")
	cmd.Flags().StringVar(&l.server, "server", "127.0.0.1:5269", "where the target listens for other servers")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		return run(cmd.Context(), cmd.OutOrStdout(), o, func(ctx context.Context, t target) (figures, error) { return l.measure(ctx, t) })
	}
	return cmd
}

type remoteLoad struct {
	*options
	users, domains int
	length         time.Duration
	window, size   int
	out            bool
	listen, server string
}

// flow is the messages that are in flight for one account.
type flow struct {
	to         net.Conn // where its messages are written
	head, tail string   // of a message
	arrived    int      // and not yet replaced by another one
	latencies  []time.Duration
}

// remoteRun is one measurement.
type remoteRun struct {
	remoteLoad
	target  target
	begin   time.Time
	flows   []*flow
	total   atomic.Int64
	readers sync.WaitGroup

	mu    sync.Mutex
	fault error // the first one
}

func (l remoteLoad) measure(ctx context.Context, t target) (figures, error) {
	r := &remoteRun{remoteLoad: l, target: t}
	clients, err := sessions(ctx, t, l.options, l.users, same)
	if err != nil {
		return nil, err
	}
	defer closeAll(clients)
	for _, c := range clients {
		if err := (chatLoad{archive: "never"}).prepare(c); err != nil {
			return nil, err
		}
	}
	listening, err := r.listenForTarget()
	if err != nil {
		return nil, err
	}
	defer listening.close()
	links, err := r.connect(ctx)
	defer closeAll(links)
	if err != nil {
		return nil, err
	}
	for i, c := range clients {
		account, other := c.jid, fmt.Sprintf("x%d@%s", i, remoteDomain(i%l.domains))
		f := &flow{to: c.conn, tail: " " + strings.Repeat("x", max(0, l.size-30)) + "</body></message>"}
		if l.out {
			f.head = "<message to='" + other + "' type='chat' id='b'>" + bodyMark
		} else {
			f.to, f.head = links[i%l.domains].conn, "<message from='"+other+"' to='"+account+"' type='chat' id='b'>"+bodyMark
		}
		r.flows = append(r.flows, f)
	}
	return r.exchange(clients, listening)
}

// exchange sends a window of messages for each account, then one for each that arrives.
func (r *remoteRun) exchange(clients []*client, listening *listening) (figures, error) {
	r.begin = time.Now()
	before, err := measure(r.target.pids)
	if err != nil {
		return nil, err
	}
	deadline := r.begin.Add(r.length)
	listening.deadline.Store(deadline.UnixNano())
	if !r.out {
		for _, c := range clients {
			r.readers.Go(func() { r.fail(r.receive(c, deadline)) })
		}
	}
	for i, f := range r.flows {
		f.arrived = r.window
		if err := r.send(i); err != nil {
			return nil, err
		}
	}
	time.Sleep(time.Until(deadline))
	r.readers.Wait()
	elapsed := time.Since(r.begin)
	after, err := measure(r.target.pids)
	if err != nil {
		return nil, err
	}
	listening.close()
	var all []time.Duration
	for _, f := range r.flows {
		all = append(all, f.latencies...)
	}
	if r.fault != nil || len(all) == 0 {
		return nil, fmt.Errorf("%d messages arrived: %w", len(all), r.fault)
	}
	f := figures{{"messages", "/s", float64(r.total.Load()) / elapsed.Seconds()}}
	return append(append(f, perUnit(before, after, r.total.Load())...), quantiles(all)...), nil
}

func (r *remoteRun) fail(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.fault == nil {
		r.fault = err
	}
}

// send writes as many messages as have arrived for an account.
func (r *remoteRun) send(i int) error {
	f := r.flows[i]
	var b bytes.Buffer
	for ; f.arrived > 0; f.arrived-- {
		b.WriteString(f.head)
		b.WriteString(strconv.FormatInt(int64(time.Since(r.begin)), 10) + " " + strconv.Itoa(i))
		b.WriteString(f.tail)
	}
	if err := f.to.SetWriteDeadline(time.Now().Add(stepTimeout)); err != nil {
		return err
	}
	_, err := f.to.Write(b.Bytes())
	return err
}

// receive records the messages that arrive on a connection until the deadline, and replaces them.
func (r *remoteRun) receive(c *client, deadline time.Time) error {
	var arrived []int
	for {
		for {
			end := bytes.Index(c.buf, []byte("</message>"))
			if end < 0 {
				break
			}
			text := c.buf[:end]
			c.buf = c.buf[end+len("</message>"):]
			at := bytes.Index(text, []byte(bodyMark))
			if at < 0 || bytes.HasSuffix(text, []byte("</error>")) {
				return fmt.Errorf("got %.500s", text)
			}
			i, err := r.record(string(text[at+len(bodyMark) : min(len(text), at+len(bodyMark)+40)]))
			if err != nil {
				return err
			}
			if r.flows[i].arrived++; r.flows[i].arrived == 1 {
				arrived = append(arrived, i)
			}
		}
		for _, i := range arrived {
			if err := r.send(i); err != nil {
				return err
			}
		}
		arrived = arrived[:0]
		if err := c.fill(deadline); err != nil {
			var timeout net.Error
			if errors.As(err, &timeout) && timeout.Timeout() {
				return nil
			}
			return err
		}
	}
}

// record counts a message, by the numbers in its body, and returns for which account it is.
func (r *remoteRun) record(text string) (account int, err error) {
	var sent int64
	if _, err := fmt.Sscan(text, &sent, &account); err != nil || account < 0 || account >= len(r.flows) {
		return 0, fmt.Errorf("message %q", text)
	}
	f := r.flows[account]
	f.latencies = append(f.latencies, time.Since(r.begin)-time.Duration(sent))
	r.total.Add(1)
	return account, nil
}
