package cli

import (
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/dragoman-im/dragoman/transports/gateways"
)

func storeCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "store", Short: "Copy the database of a server"}
	cmd.AddCommand(&cobra.Command{
		Use: "copy FROM TO", Short: "Copy a database to another one, also from SQLite to PostgreSQL and back", Args: cobra.ExactArgs(2),
		Long: `Copy everything that a server keeps in its database to another, empty one. The server must not run.

FROM and TO are PostgreSQL databases (postgres://...), SQLite files (a path, or sqlite:PATH), or @FILE for a
file that holds one of these, as a URL with a password should not be on a command line.

A copy that was interrupted goes on when the same command is given again; until it is complete no server
opens the target. At the end both databases are compared. The source stays as it is, but for tables
of an earlier release, which are migrated, and delivery logs beside a SQLite file, which move into it. Then set store.url in the configuration, and start the server;
keep its data directory, which holds the keys.`,
		Example: "  dragoman store copy data/dragoman.db @/etc/dragoman/database-url",
		RunE: func(cmd *cobra.Command, args []string) error {
			from, err := storeURL(args[0])
			if err != nil {
				return err
			}
			to, err := storeURL(args[1])
			if err != nil {
				return err
			}
			if path, ok := strings.CutPrefix(from, "sqlite:"); ok { // a missing source would be created empty
				info, err := os.Stat(path)
				if err != nil {
					return err
				}
				if info.Size() == 0 {
					return fmt.Errorf("%s is empty (0 bytes): there is no database to copy", path)
				}
			}
			err = gateways.CopyStore(cmd.Context(), from, to, func(line string) { fmt.Fprintln(cmd.ErrOrStderr(), line) })
			if err == nil {
				fmt.Fprintln(cmd.OutOrStdout(), "copied, and the same on both sides")
			}
			return err
		},
	})
	return cmd
}

// storeURL reads an argument that names a database.
func storeURL(arg string) (string, error) {
	if file, ok := strings.CutPrefix(arg, "@"); ok {
		text, err := os.ReadFile(file)
		if err != nil {
			return "", err
		}
		arg = strings.TrimSpace(string(text))
	}
	if strings.Contains(arg, "://") || strings.HasPrefix(arg, "sqlite:") {
		return arg, nil
	}
	return "sqlite:" + arg, nil
}
