package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/spf13/cobra"
)

// bareCommand is the program that bareCost measures: it writes what arrives from its first connection to all of them, with one system
// call for each, and does nothing else. No server that has a connection for each receiver costs less. With --durable it first appends
// durablePages pages to a file and syncs them, as a database does at least to commit.
func bareCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "bare", Short: "Write what one connection sends to all connections (used by room and publish with --bare)", Args: cobra.NoArgs, Hidden: true}
	n := cmd.Flags().Int("receivers", 1, "how many connections there will be")
	durable := cmd.Flags().Bool("durable", false, "sync a file before each message is written")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if !*durable {
			return serveBare(cmd.OutOrStdout(), *n, func() error { return nil })
		}
		f, err := os.CreateTemp("", "xmppbench-bare-")
		if err != nil {
			return err
		}
		defer os.Remove(f.Name())
		defer f.Close()
		return serveBare(cmd.OutOrStdout(), *n, func() error { return commit(f) })
	}
	return cmd
}

const (
	durablePages = 4
	durableFile  = 1 << 20 // bytes, which are then overwritten
)

// commit makes some pages of a file durable.
func commit(f *os.File) error {
	page := make([]byte, 4<<10)
	for range durablePages {
		if _, err := f.Write(page); err != nil {
			return err
		}
	}
	if err := f.Sync(); err != nil {
		return err
	}
	at, err := f.Seek(0, io.SeekCurrent)
	if err == nil && at >= durableFile {
		_, err = f.Seek(0, io.SeekStart)
	}
	return err
}

// serveBare calls before when a message has come.
func serveBare(w io.Writer, n int, before func() error) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	defer l.Close()
	fmt.Fprintln(w, l.Addr())
	conns := make([]syscall.RawConn, n)
	var sender net.Conn
	for i := range conns {
		c, err := l.Accept()
		if err != nil {
			return err
		}
		defer c.Close()
		if i == 0 {
			sender = c
		}
		if conns[i], err = c.(*net.TCPConn).SyscallConn(); err != nil {
			return err
		}
	}
	fds := make([]int, n)
	for i, c := range conns {
		if err := c.Control(func(fd uintptr) { fds[i] = int(fd) }); err != nil {
			return err
		}
	}
	return copyToAll(sender, fds, before)
}

// copyToAll writes what a connection sends, up to the end of a message, to all sockets; before is called first.
func copyToAll(sender net.Conn, fds []int, before func() error) error {
	buf := make([]byte, 64<<10)
	for have := 0; ; {
		n, err := sender.Read(buf[have:])
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		have += n
		if !bytes.HasSuffix(buf[:have], []byte(endOfMessage)) {
			continue
		}
		if err := before(); err != nil {
			return err
		}
		for _, fd := range fds {
			if n, err := syscall.Write(fd, buf[:have]); n != have {
				return fmt.Errorf("%d of %d bytes written: %w", n, have, err)
			}
		}
		have = 0
	}
}

// bareLoad is how many receivers the bare program has, and how many messages it gets.
type bareLoad struct{ receivers, times int }

// bareCost measures what it costs the bare program to write a message to as many receivers as those of a server, and how long it takes until the last one
// has it; args are further arguments of the bare program, and name is what the figures are called after.
func bareCost(ctx context.Context, name, message string, l bareLoad, args ...string) (f figures, err error) {
	receivers, times := l.receivers, l.times
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, program, append([]string{"bare", "--receivers", fmt.Sprint(receivers)}, args...)...)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	defer func() {
		cancel()
		_ = cmd.Wait() // it was killed
	}()
	addr, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		return nil, fmt.Errorf("start the bare program: %w", err)
	}
	clients := make([]*client, receivers)
	defer func() { closeAll(clients) }()
	for i := range clients {
		conn, err := (&net.Dialer{Timeout: stepTimeout}).DialContext(ctx, "tcp", strings.TrimSpace(addr))
		if err != nil {
			return nil, err
		}
		clients[i] = &client{conn: conn}
	}
	before, after, latencies, err := toAll(clients, []int{cmd.Process.Pid}, message, "<message", times)
	if err != nil {
		return nil, fmt.Errorf("bare program: %w", err)
	}
	f = perUnit(before, after, int64(times*receivers))
	for _, x := range quantiles(latencies) {
		if x.Name == "p50" {
			f = append(f, x)
		}
	}
	for i := range f {
		f[i].Name = name + " " + f[i].Name
	}
	return f, nil
}

// toAll sends a message from the first client a number of times, each when all clients have got the one before. It returns what
// the processes had used before and after, and how long each message took until the last client had it.
func toAll(clients []*client, pids []int, message, mark string, times int) (before, after usage, latencies []time.Duration, err error) {
	var arrived atomic.Int64
	all := make(chan struct{}, 1)
	deadline := time.Now().Add(fillWait)
	errs := make([]error, len(clients))
	var wg sync.WaitGroup
	for i, c := range clients {
		wg.Go(func() {
			n := 0
			errs[i] = c.count(deadline, mark, func([]byte) bool {
				if n++; arrived.Add(1)%int64(len(clients)) == 0 {
					all <- struct{}{}
				}
				return n == times
			})
		})
	}
	before, err = measure(pids)
	for range times {
		if err != nil {
			break
		}
		begin := time.Now()
		if err = clients[0].write(message); err != nil {
			break
		}
		select {
		case <-all:
			latencies = append(latencies, time.Since(begin))
		case <-time.After(stepTimeout):
			err = fmt.Errorf("a message has reached %d of %d", arrived.Load()%int64(len(clients)), len(clients))
		}
	}
	if err != nil {
		closeAll(clients) // ends the readers
		wg.Wait()
		return before, after, nil, errors.Join(append([]error{err}, errs[0])...)
	}
	wg.Wait()
	after, err = measure(pids)
	return before, after, latencies, errors.Join(append(errs, err)...)
}
