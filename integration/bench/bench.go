package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/dragoman-im/dragoman/core/s2s/dnstest"
)

const (
	domain   = "bench.example"
	password = "bench"
	// accounts are as many as the measurements need; further sessions are spread over them.
	accounts = 1000
)

// bench is one run: the programs that were built, the servers that run.
type bench struct {
	options
	dir                 string
	dragoman, xmppbench string
	servers             []*server
	absent              []string // servers that cannot be had, and why
	cleanups            []func() error
	dns                 *dnstest.Server // that the servers ask
	remote              int             // port where other domains are found
	begun               time.Time
}

// progress tells on standard error what is being done.
func (b *bench) progress(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "%5.0fs  %s\n", time.Since(b.begun).Seconds(), fmt.Sprintf(format, args...))
}

func (b *bench) build(ctx context.Context) error {
	const module = "github.com/dragoman-im/dragoman/cmd/"
	for _, p := range []struct {
		name string
		path *string
	}{{"dragoman", &b.dragoman}, {"xmppbench", &b.xmppbench}} {
		*p.path = filepath.Join(b.dir, p.name)
		if out, err := exec.CommandContext(ctx, "go", "build", "-o", *p.path, module+p.name).CombinedOutput(); err != nil {
			return fmt.Errorf("build %s: %w\n%s", p.name, err, out)
		}
	}
	return nil
}

// remoteDomains are other domains, whose server is xmppbench.
const remoteDomains = 100

// announce starts the DNS server, which says where the other domains are.
func (b *bench) announce() (err error) {
	if b.remote, err = freePort(); err != nil {
		return err
	}
	records := []string{"localhost. 60 A 127.0.0.1"}
	for i := range remoteDomains {
		records = append(records, fmt.Sprintf("_xmpp-server._tcp.d%d.remote.example. 60 SRV 0 0 %d localhost.", i, b.remote))
	}
	if b.dns, err = dnstest.Serve(records...); err == nil {
		b.cleanups = append(b.cleanups, b.dns.Close)
	}
	return err
}

// open starts the servers that were asked for, with their accounts.
func (b *bench) open(ctx context.Context) error {
	asked := strings.Split(b.options.servers, ",")
	for _, name := range asked {
		if !slices.Contains(names(kinds), name) {
			return fmt.Errorf("-servers: %q is none of %s", name, strings.Join(names(kinds), ", "))
		}
	}
	if err := b.announce(); err != nil {
		return err
	}
	for _, k := range kinds {
		if !slices.Contains(asked, k.name) {
			continue
		}
		s, err := b.newServer(k)
		if err != nil {
			b.absent = append(b.absent, fmt.Sprintf("%s: %v", k.title, err))
			b.progress("%s is left out: %v", k.title, err)
			continue
		}
		b.servers = append(b.servers, s)
		b.progress("%s: making %d accounts", s.title, accounts)
		if err := s.populate(ctx, b, "bench", accounts); err != nil {
			return fmt.Errorf("%s: %w", s.title, err)
		}
		if err := s.start(ctx); err != nil {
			return err
		}
	}
	if len(b.servers) == 0 {
		return fmt.Errorf("no server can be measured")
	}
	return nil
}

func (b *bench) stop() {
	for _, s := range b.servers {
		s.stop()
	}
	for _, clean := range b.cleanups {
		if err := clean(); err != nil {
			b.progress("%v", err)
		}
	}
}

// figures are what xmppbench has measured, by their names.
type figures map[string]float64

// load runs xmppbench against a server.
func (b *bench) load(ctx context.Context, s *server, args ...string) (figures, error) {
	args = append(args, "--json", "--rounds", "1", "--password", password, "--target", s.target())
	if !slices.Contains(args, "--mechanism") {
		args = append(args, "--mechanism", "SCRAM-SHA-1") // which all of them have
	}
	cmd := exec.CommandContext(ctx, b.xmppbench, args...)
	var problems strings.Builder
	cmd.Stderr = &problems
	out, err := cmd.Output()
	if err != nil {
		text := strings.TrimSpace(problems.String())
		return nil, fmt.Errorf("%s: %w: %.300s", args[0], err, text)
	}
	if args[0] == "register" || args[0] == "roster" {
		return nil, nil
	}
	var list []struct {
		Name  string
		Value float64
	}
	if err := json.Unmarshal(out, &list); err != nil {
		return nil, fmt.Errorf("read what xmppbench has printed: %w", err)
	}
	f := figures{}
	for _, x := range list {
		f[x.Name] = x.Value
	}
	return f, nil
}

// median of each figure.
func median(all []figures) figures {
	out := figures{}
	for name := range all[0] {
		var values []float64
		for _, f := range all {
			if v, ok := f[name]; ok {
				values = append(values, v)
			}
		}
		slices.Sort(values)
		out[name] = values[len(values)/2]
	}
	return out
}

func number(n int) string { return strconv.Itoa(n) }
