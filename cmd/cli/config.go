package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/dragoman-im/dragoman/config"
	"github.com/dragoman-im/dragoman/transports/gateways"
)

func (p program) configCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "config", Short: "Check and explain the settings"}
	cmd.AddCommand(
		&cobra.Command{
			Use: "check", Short: "Read the configuration and report everything that is wrong with it", Args: cobra.NoArgs,
			Long: `Read the configuration and report everything that is wrong with it, with the path of each setting.

It also reports certificates that have expired or are for other domains, and a data directory that cannot be written. It warns of what
keeps clients from uploading files: no address that they can reach, one that does not answer, too little space.`,
			RunE: func(cmd *cobra.Command, _ []string) error {
				c, err := p.load(cmd)
				if err != nil {
					return err
				}
				if w := config.Warnings(c, time.Now()); len(w) > 0 {
					return w
				}
				for _, w := range config.UploadWarnings(cmd.Context(), c) {
					fmt.Fprintln(cmd.ErrOrStderr(), "warning: "+w)
				}
				fmt.Fprintln(cmd.OutOrStdout(), "the configuration is good")
				return nil
			},
		},
		printCommand("example [server]", "Print a configuration file with every setting and its default", p.example),
		printCommand("doc [server|NETWORK]", "Print the reference of all settings, of the server's or of a network's", p.reference),
	)
	return cmd
}

func (p program) example(section string) (string, error) {
	switch section {
	case "":
		return config.Example(gateways.Sections(p.networks)...), nil
	case "server":
		return config.Example(), nil
	}
	return "", fmt.Errorf("%q is not server", section)
}

func (p program) reference(section string) (string, error) {
	sections := gateways.Sections(p.networks)
	switch section {
	case "":
		return config.Reference(sections...), nil
	case "server":
		return config.Reference(), nil
	}
	for _, s := range sections {
		if s.Name == section {
			return s.Reference(), nil
		}
	}
	return "", fmt.Errorf("%q is neither server nor a network", section)
}

func printCommand(use, short string, print func(section string) (string, error)) *cobra.Command {
	cmd := &cobra.Command{Use: use, Short: short, Args: cobra.MaximumNArgs(1)}
	output := cmd.Flags().StringP("output", "o", "", "file to write instead of standard output; one that is there is kept")
	force := cmd.Flags().Bool("force", false, "write over a file that is there")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		text, err := print(strings.Join(args, ""))
		if err != nil {
			return err
		}
		if *output == "" {
			_, err := fmt.Fprint(cmd.OutOrStdout(), text)
			return err
		}
		how := os.O_WRONLY | os.O_CREATE | os.O_TRUNC
		if !*force {
			how |= os.O_EXCL
		}
		f, err := os.OpenFile(*output, how, 0o644)
		if errors.Is(err, fs.ErrExist) {
			return fmt.Errorf("%s is there already: name another file, or add --force to write over it", *output)
		}
		if err != nil {
			return err
		}
		_, err = f.WriteString(text)
		return errors.Join(err, f.Close())
	}
	return cmd
}
