package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"

	"github.com/spf13/cobra"
)

// options are the flags of the demo.
type options struct {
	data      string
	listen    string
	listenTLS string
	listenWeb string
	user      string
	quick     bool
	noTour    bool
}

// Command is the command "dragoman demo".
func Command() *cobra.Command {
	o := &options{}
	cmd := &cobra.Command{
		Use: "demo", Short: "Run a server with a fake Slack and a fake Discord, and show what happens", Args: cobra.NoArgs,
		Long: `Run a server with a fake Slack and a fake Discord server, and show what happens.

It needs no configuration, no network and no account anywhere. A built-in client takes a tour:
it links both networks, then writes, edits and deletes messages. Each step of a message between
XMPP and the network is printed. Then the server waits for a client of your own, until Ctrl-C.`,
	}
	f := cmd.Flags()
	f.StringVar(&o.data, "data", "", "directory for the data (default: a temporary one, removed at the end)")
	f.StringVar(&o.listen, "listen", "", "where clients connect, with STARTTLS (default 127.0.0.1:5222, or a free port where that is taken)")
	f.StringVar(&o.listenTLS, "listen-tls", "", "where clients connect, with direct TLS (default 127.0.0.1:5223, or a free port where that is taken)")
	f.StringVar(&o.listenWeb, "listen-http", "", "where browsers connect (default 127.0.0.1:5280, or a free port where that is taken)")
	f.StringVar(&o.user, "user", "demo", "name of the account that is made")
	f.BoolVar(&o.quick, "quick", false, "take the tour without pauses and end: exit status 0 when all went well")
	f.BoolVar(&o.noTour, "no-tour", false, "do not take the tour")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := o.check(cmd); err != nil {
			return err
		}
		return run(cmd.Context(), *o, cmd.OutOrStdout())
	}
	return cmd
}

// plainName is what --user may be: the same in a file's name, on a command line and as an address.
var plainName = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,63}$`)

func (o *options) check(cmd *cobra.Command) error {
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

// run is the whole demo, in order; what was started ends in the reverse order.
func run(ctx context.Context, o options, w io.Writer) (err error) {
	out := newScreen(w)
	s, err := newLocalServer(o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.removeData()) }()

	tracer := newTracer(out)
	slack, slackSide, err := startSlack(tracer)
	if err != nil {
		return err
	}
	defer slack.close()
	discord, discordSide, err := startDiscord(tracer)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, discord.close()) }()
	networks := []*network{slackSide, discordSide}
	tracer.networks = networks

	if err := s.open(ctx, networks, tracer, out); err != nil {
		if ctx.Err() != nil {
			return nil // stopped before it began
		}
		return err
	}
	return serve(ctx, s, networks, out)
}

// serve runs the server and the simulated users during the tour and afterwards.
func serve(ctx context.Context, s *localServer, networks []*network, out *screen) error {
	running, stop := context.WithCancel(ctx)
	defer stop()
	served := make(chan error, 1)
	go func() {
		served <- s.server.Run(running)
		stop()
	}()
	responders := make([]*responder, len(networks))
	for i, n := range networks {
		responders[i] = newResponder(n, s.options.quick)
		responders[i].start(running)
	}
	s.printConnection(out)

	failed := error(nil)
	if !s.options.noTour {
		failed = runTour(running, s, networks, out)
	}
	if !s.options.quick && running.Err() == nil {
		s.printInstructions(out, networks, failed)
		for _, r := range responders {
			r.startDialogues()
		}
		<-running.Done()
		out.blank()
		out.say("Stopping.")
		failed = nil
	}
	interrupted := ctx.Err() != nil
	stop()
	for _, r := range responders {
		r.wait()
	}
	if err := <-served; err != nil {
		return fmt.Errorf("the server ended: %w", err)
	}
	if interrupted {
		return nil
	}
	return failed
}
