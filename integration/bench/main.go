package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

// options are the flags.
type options struct {
	servers, only string
	before        string
	rounds        int
	length        time.Duration
	users         int
	idle          int
	resumed       int
	messages      int // of the archive that pages and searches are of
	quick, growth bool
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func parse(args []string) (options, error) {
	var o options
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.StringVar(&o.servers, "servers", "", "which servers of "+strings.Join(names(kinds), ",")+" (the first three; for -growth dragoman)")
	flags.StringVar(&o.before, "before", "", "another dragoman binary, which is measured too, as the server \"before\"")
	flags.StringVar(&o.only, "only", "", "measure only what has one of these words in its name, such as chat,login")
	flags.IntVar(&o.rounds, "rounds", 3, "how often each server is measured; the medians are shown")
	flags.DurationVar(&o.length, "for", 4*time.Second, "how long one measurement lasts")
	flags.IntVar(&o.users, "users", 100, "users who chat")
	flags.IntVar(&o.idle, "idle", 1000, "idle sessions whose memory is measured; 10000 takes minutes")
	flags.IntVar(&o.resumed, "resumed", 1000, "sessions that are cut off at once and resumed; 10000 take minutes over TLS")
	flags.IntVar(&o.messages, "messages", 100_000, "messages of the archive that pages and searches are of; 1000000 take a minute to import, and to index")
	flags.BoolVar(&o.quick, "quick", false, "one short round of each")
	flags.BoolVar(&o.growth, "growth", false, "measure how the figures grow with sessions and rosters instead")
	flags.Usage = func() {
		fmt.Fprintln(flags.Output(), "go run ./integration/bench [flags]: Dragoman beside Prosody and ejabberd, as a Markdown table on standard output.")
		flags.PrintDefaults()
	}
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if flags.NArg() > 0 {
		return o, fmt.Errorf("what is %q? There are flags only; -h lists them", flags.Arg(0))
	}
	if o.quick {
		o.rounds, o.length = 1, time.Second
	}
	if o.servers == "" {
		o.servers = strings.Join(names(byDefault), ",")
		if o.growth {
			o.servers = "dragoman"
		}
	}
	if o.before != "" {
		o.servers += "," + before.name
	}
	if o.messages < 10_000 {
		return o, fmt.Errorf("-messages must be at least 10000")
	}
	if o.rounds < 1 || o.users < 2 || o.idle < 1 || o.resumed < 1 || o.length <= 0 {
		return o, fmt.Errorf("-rounds, -for, -idle and -resumed must be above zero, -users above one")
	}
	return o, nil
}

func run(ctx context.Context, args []string) (err error) {
	o, err := parse(args)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "dragoman-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	b := &bench{options: o, dir: dir, begun: time.Now()}
	b.progress("building dragoman and xmppbench")
	if err := b.build(ctx); err != nil {
		return err
	}
	defer b.stop()
	if err := b.open(ctx); err != nil {
		return err
	}
	if o.growth {
		return b.grow(ctx, os.Stdout)
	}
	return b.compare(ctx, os.Stdout)
}
