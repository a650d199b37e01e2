// Command pack writes converse.zip from the installed npm package, or with -check compares both. Run it by "go generate ./core/web/chat".
package main
