package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/spf13/cobra"

	"github.com/dragoman-im/dragoman/config"
)

func configCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "config", Short: "Check and explain the settings"}
	cmd.AddCommand(
		&cobra.Command{
			Use: "check", Short: "Read the configuration and say everything that is wrong with it", Args: cobra.NoArgs,
			RunE: func(cmd *cobra.Command, _ []string) error {
				if _, err := load(cmd); err != nil {
					return err
				}
				fmt.Fprintln(cmd.OutOrStdout(), "the configuration is good")
				return nil
			},
		},
		printCommand("example", "Print a configuration file with every setting and its default", config.Example),
		printCommand("doc", "Print the reference of all settings", config.Reference),
	)
	return cmd
}

func printCommand(use, short string, text func() string) *cobra.Command {
	cmd := &cobra.Command{Use: use, Short: short, Args: cobra.NoArgs}
	output := cmd.Flags().StringP("output", "o", "", "file to write instead of standard output; one that is there is kept")
	force := cmd.Flags().Bool("force", false, "write over a file that is there")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if *output == "" {
			_, err := fmt.Fprint(cmd.OutOrStdout(), text())
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
		_, err = f.WriteString(text())
		return errors.Join(err, f.Close())
	}
	return cmd
}
