package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"

	"github.com/spf13/cobra"
)

// demoOptions are the flags of the demo.
type demoOptions struct {
	data      string
	listen    string
	listenTLS string
	user      string
	quick     bool
	noTour    bool
}

func demoCommand() *cobra.Command {
	o := &demoOptions{}
	cmd := &cobra.Command{
		Use: "demo", Short: "Run a server with a Slack and a Discord to play with, and show what happens", Args: cobra.NoArgs,
		Long: `Run a server with stand-ins for Slack and Discord, and show what happens.

It needs no configuration, no network and no account anywhere. A built-in client takes a tour:
it links both networks, writes, edits and deletes. Each step of a message's way is printed.
Then it waits for a client of your own, until Ctrl-C.`,
	}
	f := cmd.Flags()
	f.StringVar(&o.data, "data", "", "directory to keep everything in (default: a temporary one, removed at the end)")
	f.StringVar(&o.listen, "listen", "", "where clients connect, with STARTTLS (default 127.0.0.1:5222, or a free port where that is taken)")
	f.StringVar(&o.listenTLS, "listen-tls", "", "where clients connect, with direct TLS (default 127.0.0.1:5223, or likewise)")
	f.StringVar(&o.user, "user", "demo", "name of the account that is made")
	f.BoolVar(&o.quick, "quick", false, "take the tour without pauses and end: exit status 0 when all went well")
	f.BoolVar(&o.noTour, "no-tour", false, "do not take the tour")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := o.check(cmd); err != nil {
			return err
		}
		return runDemo(cmd.Context(), *o, cmd.OutOrStdout())
	}
	return cmd
}

// plainName is what --user may be: the same in a file's name, on a command line and as an address.
var plainName = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,63}$`)

func (o *demoOptions) check(cmd *cobra.Command) error {
	if file := cmd.Flag("config"); file != nil && file.Changed {
		return errors.New("the demo takes no configuration; 'dragoman serve -c FILE' runs a server of your own")
	}
	if o.quick && o.noTour {
		return errors.New("--quick is the tour alone: it does not go with --no-tour")
	}
	if !plainName.MatchString(o.user) {
		return fmt.Errorf("--user: %q is not a name of small letters, digits, dots and dashes, such as ann", o.user)
	}
	return nil
}

// runDemo is the whole demo, in order; what was begun ends in the reverse order.
func runDemo(ctx context.Context, o demoOptions, w io.Writer) (err error) {
	out := newScreen(w)
	h, err := newDemoHouse(o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.clean()) }()

	tracer := newTracer(out)
	slack, err := newSlackTown(tracer)
	if err != nil {
		return err
	}
	defer slack.close()
	discord, err := newDiscordTown(tracer)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, discord.close()) }()
	towns := []town{slack, discord}
	tracer.towns = towns

	if err := h.open(ctx, towns, tracer, out); err != nil {
		if ctx.Err() != nil {
			return nil // stopped before it began
		}
		return err
	}
	return serveDemo(ctx, h, towns, out)
}

// serveDemo runs the server and the people while the tour is taken and afterwards.
func serveDemo(ctx context.Context, h *demoHouse, towns []town, out *screen) error {
	living, stop := context.WithCancel(ctx)
	defer stop()
	served := make(chan error, 1)
	go func() {
		served <- h.server.Run(living)
		stop()
	}()
	casts := make([]*cast, len(towns))
	for i, t := range towns {
		casts[i] = newCast(t, h.options.quick)
		casts[i].start(living)
	}
	h.introduce(out, towns)

	failed := error(nil)
	if !h.options.noTour {
		failed = takeTour(living, h, towns, out)
	}
	if !h.options.quick && living.Err() == nil {
		h.invite(out, towns, failed)
		for _, c := range casts {
			c.chat()
		}
		<-living.Done()
		out.blank()
		out.say("Stopping.")
		failed = nil
	}
	interrupted := ctx.Err() != nil
	stop()
	for _, c := range casts {
		c.wait()
	}
	if err := <-served; err != nil {
		return fmt.Errorf("the server ended: %w", err)
	}
	if interrupted {
		return nil
	}
	return failed
}
