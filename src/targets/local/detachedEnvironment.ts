/** The user's environment for a process that outlives this one, less what VS Code sets for its own processes. */
export function detachedEnvironment(): NodeJS.ProcessEnv {
  const env = { ...process.env };
  for (const name of Object.keys(env)) {
    if (/^(VSCODE_|ELECTRON_|APPLICATION_INSIGHTS|CODE_SERVER_|NODE_CHANNEL|NODE_OPTIONS$)/.test(name)) {
      Reflect.deleteProperty(env, name);
    }
  }
  // VS Code's own Node is Electron in disguise; plain Node ignores this.
  env.ELECTRON_RUN_AS_NODE = '1';
  return env;
}
