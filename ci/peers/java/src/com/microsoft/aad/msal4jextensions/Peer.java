package com.microsoft.aad.msal4jextensions;

import com.microsoft.aad.msal4j.ITokenCacheAccessContext;
import com.microsoft.aad.msal4j.PublicClientApplication;
import com.microsoft.aad.msal4j.SignIn;
import com.microsoft.aad.msal4j.TokenCache;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * MSAL Extensions for Java as a peer of msalext, for ci/interop.
 *
 * <pre>
 * Peer hold PATH                at the first line: take the lock, say "held", keep it until stdin ends
 * Peer contend PATH NAME N MS   at the first line: take the lock N times, for MS milliseconds each
 * Peer change PATH NAME N MS    at the first line: sign N accounts in, NAME-0 and so on, MS milliseconds apart
 * Peer read PATH                answer for each line whether that account is there
 * </pre>
 *
 * It is in the library's package because the lock is private to that.
 */
public final class Peer {
    private static final BufferedReader in = new BufferedReader(new InputStreamReader(System.in));

    public static void main(String[] args) throws Exception {
        Path path = Path.of(args[1]).toAbsolutePath();
        switch (args[0]) {
            case "hold" -> hold(path);
            case "contend" -> contend(path, args[2], Integer.parseInt(args[3]), Integer.parseInt(args[4]));
            case "change" -> change(path, args[2], Integer.parseInt(args[3]), Integer.parseInt(args[4]));
            case "read" -> read(path);
            default -> throw new IllegalArgumentException(args[0]);
        }
    }

    private static void say(String... words) {
        System.out.println(String.join(" ", words));
    }

    /** The lock as the library makes it: one for the whole directory, 60 tries 100 ms apart. */
    private static CrossProcessCacheFileLock lock(Path path) {
        return new CrossProcessCacheFileLock(path.getParent() + "/.lockfile", 100, 60);
    }

    private static void hold(Path path) throws Exception {
        CrossProcessCacheFileLock lock = lock(path);
        say("ready");
        in.readLine();
        try {
            lock.lock();
        } catch (RuntimeException e) {
            say("refused", e.getClass().getSimpleName());
            return;
        }
        say("held");
        while (in.readLine() != null) {}
        lock.unlock();
        say("released");
    }

    private static void contend(Path path, String name, int rounds, int stay) throws Exception {
        say("ready");
        in.readLine();
        for (int i = 0; i < rounds; i++) {
            CrossProcessCacheFileLock lock = lock(path);
            try {
                lock.lock();
                record(path, "start", name);
                Thread.sleep(stay);
                record(path, "end", name);
                lock.unlock();
                say("had");
            } catch (RuntimeException | java.io.IOException e) {
                say("refused", e.getClass().getSimpleName());
            }
        }
    }

    private static void record(Path path, String what, String name) throws Exception {
        byte[] line = (what + " " + name + " " + ProcessHandle.current().pid() + "\n").getBytes(StandardCharsets.US_ASCII);
        Files.write(Path.of(path + ".witness"), line, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
    }

    private static PersistenceTokenCacheAccessAspect opened(Path path) throws Exception {
        return new PersistenceTokenCacheAccessAspect(
                PersistenceSettings.builder(path.getFileName().toString(), path.getParent())
                        .setLinuxUseUnprotectedFileAsCacheStorage(true)
                        .build());
    }

    private static void change(Path path, String name, int count, int pause) throws Exception {
        PersistenceTokenCacheAccessAspect aspect = opened(path);
        TokenCache cache = new TokenCache();
        ITokenCacheAccessContext context = SignIn.writing(cache);
        say("ready");
        in.readLine();
        for (int i = 0; i < count; i++) {
            Thread.sleep(pause);
            String account = name + "-" + i;
            try {
                aspect.beforeCacheAccess(context);
                SignIn.store(cache, account);
                aspect.afterCacheAccess(context);
                say("stored", account);
            } catch (RuntimeException e) {
                say("failed", account, e.getClass().getSimpleName());
            }
        }
    }

    private static void read(Path path) throws Exception {
        PublicClientApplication client = PublicClientApplication.builder("c").setTokenCacheAccessAspect(opened(path)).build();
        say("ready");
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            String wanted = line.strip() + ".t";
            try {
                boolean there = client.getAccounts().join().stream().anyMatch(a -> a.homeAccountId().equals(wanted));
                say(there ? "yes" : "no");
            } catch (RuntimeException e) {
                say("failed", e.getClass().getSimpleName());
            }
        }
    }
}
