package main

// children are the parts that this program plays in processes of its own, by
// their first argument.
var children = map[string]func(args []string) error{
	"change":   changeChild,
	"count":    countChild,
	"hammer":   hammerChild,
	"keep":     keepChild,
	"race":     raceChild,
	"redis":    redisChild,
	"remember": rememberChild,
	"silent":   silentChild,
	"web":      webChild,
}
